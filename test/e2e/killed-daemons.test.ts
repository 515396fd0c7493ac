import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually, Project } from "./fixture.ts";
import type { SeenProcess } from "./process-table.ts";

describe("processes of ours killed with -9", { concurrency: true }, () => {
  test("supervisor: services serve on, all that reads works, the next deploy adopts them", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    const before = project.replicas();
    process.kill(project.only("supervisor").pid, "SIGKILL");

    assert.deepEqual(await project.versions(), ["v1"]);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
    assert.match(await project.ok("status"), /^web .*serving .*2 of 2/m);
    assert.match(await project.ok("logs", "web"), /version v1 listens/);
    assert.match(await project.ok("local", "status"), /shop-web-1 +1 +pid/);
    assert.ok(!project.processes().some(({ role }) => role === "supervisor"));

    await project.ok("deploy");
    assert.deepEqual(project.replicas(), before, "replicas were started again");
    // What is adopted is looked after: one that ends is started again, under a new pid.
    await project.ok("scale", "web", "3");
    project.only("supervisor");
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2", "shop-web-3"]);
    const [victim] = project.replicas();
    const pid = victim?.pids[0];
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    await eventually("an adopted replica that ended runs again", () => {
      const now = project.replicas();
      return now.length === 3 && !now.some(({ pids }) => pids.includes(pid));
    });
    await project.change({ version: "v2" });
    await project.ok("deploy");
    assert.deepEqual(await project.versions(), ["v2"]);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
  });

  test("all of them, as by a reboot: status tells it, and local start brings every stack back", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    kill(project.processes());
    for (const { pids } of project.replicas()) for (const pid of pids) process.kill(pid, "SIGKILL");
    assert.match(await project.ok("status"), /^web .*down/m);

    assert.match(await project.ok("local", "start"), /looks after 2 replicas/);
    await eventually("both replicas run", () => project.replicaNames().length === 2);
    await eventually("the port answers", () =>
      project.ask().then(
        () => true,
        () => false,
      ),
    );
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("gateway: back in a moment, replicas untouched", async (t) => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    const before = project.replicas();
    const { pid } = project.only("gateway");
    process.kill(pid, "SIGKILL");
    const killedAt = performance.now();
    await eventually(
      "the port answers again",
      () =>
        project.ask().then(
          () => true,
          () => false,
        ),
      5000,
    );
    t.diagnostic(`the port answered ${Math.round(performance.now() - killedAt)} ms after the gateway was killed`);
    assert.notEqual(project.only("gateway").pid, pid);
    assert.deepEqual(project.replicas(), before);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("shims: their replicas live on, keep logging, and can be deployed over and stopped", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    const before = project.replicas();
    for (const { role, pid } of project.processes()) if (role === "shim") process.kill(pid, "SIGKILL");
    assert.deepEqual(await project.versions(), ["v1"]);
    assert.deepEqual(project.replicas(), before);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
    await project.change({ version: "v2" });
    await project.ok("deploy");
    assert.deepEqual(await project.versions(), ["v2"]);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
  });

  test("all three at once: one deploy brings everything back, and doubles nothing", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    const before = project.replicas();
    kill(project.processes().filter(({ role }) => role !== "replica"));
    await assert.rejects(project.ask());
    await project.ok("deploy");
    await eventually(
      "the port answers",
      () =>
        project.ask().then(
          () => true,
          () => false,
        ),
      5000,
    );
    assert.deepEqual(project.replicas(), before);
    project.only("gateway");
    project.only("supervisor");
  });
});

/** The supervisor first: it would bring the others back. Their ids say nothing of who was started first, since the kernel begins anew at its last one. */
function kill(processes: readonly SeenProcess[]): void {
  const isSupervisor = ({ role }: SeenProcess): number => Number(role === "supervisor");
  for (const { pid } of processes.toSorted((a, b) => isSupervisor(b) - isSupervisor(a))) process.kill(pid, "SIGKILL");
}
