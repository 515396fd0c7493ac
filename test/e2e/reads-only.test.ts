import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually, Project } from "./fixture.ts";
import { listTree } from "./tree-listing.ts";

const reading = [
  ["check"],
  ["plan"],
  ["plan", "--json"],
  ["plan", "--refresh"],
  ["config"],
  ["status"],
  ["history"],
  ["providers"],
  ["state", "show"],
  ["logs", "web"],
  ["local", "status"],
  ["doctor"],
  ["schema"],
];

/** Runs each, and expects every byte, mode and time of project, data folder and home (its cache apart) as it was, and the same processes. */
async function readsLeaveNoTrace(project: Project, commands: readonly (readonly string[])[]): Promise<void> {
  const look = (): unknown => ({
    project: listTree(project.folder, [".pctl"]),
    data: listTree(project.root, ["project", "home/.cache"]),
    processes: project.processes().map(({ pid, startTime, role }) => `${role} ${pid} ${startTime}`),
  });
  mkdirSync(join(project.home, ".cache"), { recursive: true });
  const before = look();
  for (const words of commands) {
    await project.expect(0, words);
    assert.deepEqual(look(), before, `pctl ${words.join(" ")} left a trace`);
  }
}

describe("commands that only look", { concurrency: true }, () => {
  test("before anything was deployed", async () => {
    await using project = await Project.withServer({ version: "v1" });
    await readsLeaveNoTrace(project, [
      ["check"],
      ["plan"],
      ["plan", "--json"],
      ["config"],
      ["status"],
      ["history"],
      ["providers"],
    ]);
    assert.deepEqual(project.processes(), []);
  });

  test("while services run, and a change is pending", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    await settled(project);
    await readsLeaveNoTrace(project, reading);
    await project.change({ version: "v2" });
    await readsLeaveNoTrace(project, [["plan"], ["plan", "--refresh"]]);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("without the supervisor", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    await settled(project);
    process.kill(project.only("supervisor").pid, "SIGKILL");
    await eventually("the supervisor ended", () => !project.processes().some(({ role }) => role === "supervisor"));
    await readsLeaveNoTrace(project, reading);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("control: what a deploy changes is seen", async () => {
    await using project = await Project.withServer({ version: "v1" });
    await assert.rejects(readsLeaveNoTrace(project, [["deploy"]]), /pctl deploy left a trace/);
    await settled(project);
    await assert.rejects(readsLeaveNoTrace(project, [["exec", "web", "touch", "new"]]), /left a trace/);
  });
});

/** Supervisor and logs are at rest. */
async function settled(project: Project): Promise<void> {
  let last = "";
  let since = performance.now();
  await eventually("nothing was written for a second", () => {
    const now = JSON.stringify(listTree(project.dataFolder));
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 1000;
  });
}
