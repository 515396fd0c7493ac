import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Project } from "./fixture.ts";

const strategy = (text: string): string[] => ["scale: { replica: 2 }", `strategy: { ${text} }`];

/** Which version answered how often, asked one after the other. */
async function counts(project: Project, requests: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let left = requests; left > 0; left -= 1) {
    const { version } = await project.ask();
    found[version] = (found[version] ?? 0) + 1;
  }
  return found;
}

describe("canary and blue_green on local", { concurrency: true }, () => {
  test("5 % are 5 % of a thousand requests; killed daemons and another terminal change nothing; promote ends it", async () => {
    const declared = strategy("type: canary, steps: [5%], pause: manual");
    await using project = await Project.withServer({ version: "v1" }, declared);
    await project.ok("deploy");
    await project.change({ version: "v2" });
    assert.match(await project.expect(4, ["deploy"]), /pctl promote web · pctl abort web/);
    assert.deepEqual(await counts(project, 1000), { v1: 950, v2: 50 });
    assert.match(await project.ok("status"), /^web .*paused .*2 of 2.*\n\npaused: web: release 2 gets 5 % at step 1/ms);

    process.kill(project.only("supervisor").pid, "SIGKILL");
    assert.match(await project.expect(4, ["deploy"]), /release 2 is paused at step 1/);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-1", "shop-web-2"]);
    assert.deepEqual(await counts(project, 100), { v1: 95, v2: 5 });
    assert.match(await project.expect(1, ["scale", "web", "3"]), /pctl promote web goes on with it/);
    assert.match(await project.ok("promote"), /release 2 serves, 2 of 2 ready/);
    assert.deepEqual(await project.versions(), ["v2"]);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
    assert.match(await project.expect(1, ["promote"]), /nothing of shop is paused/);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("a pause of a time: pctl waits without the lease, and goes on by itself", async () => {
    await using project = await Project.withServer({ version: "v1" }, strategy("type: blue_green, pause: 3s"));
    await project.ok("deploy");
    await project.change({ version: "v2" });
    const said = await project.ok("deploy");
    assert.match(said, /paused at step 1: release 2 gets 0 %, 2 ready/);
    assert.match(said, /Waits until .* without the lease/);
    assert.match(said, /its time is over/);
    assert.deepEqual(await project.versions(), ["v2"]);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
  });

  test("aborted from another terminal while pctl waits: it does not begin again", async () => {
    await using project = await Project.withServer(
      { version: "v1" },
      strategy("type: canary, steps: [50%], pause: 5m"),
    );
    await project.ok("deploy");
    await project.change({ version: "v2" });
    const waiting = project.start(["deploy"]);
    const isWaiting = Promise.withResolvers<undefined>();
    let said = "";
    waiting.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Waits until")) isWaiting.resolve(undefined);
    });
    const ended = new Promise((resolve) => waiting.once("close", resolve));
    await isWaiting.promise;
    assert.match(await project.ok("abort"), /release 1 serves, 2 of 2 ready/);
    assert.equal(await ended, 4, said);
    assert.match(said, /promoted or aborted meanwhile/);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("one that dies while it is paused is taken back: exit 3, and the old release serves throughout", async () => {
    const declared = strategy("type: canary, steps: [50%], pause: manual");
    await using project = await Project.withServer({ version: "v1" }, declared);
    await project.ok("deploy");
    await project.change({ version: "v2", diesAfterMs: 1500 });
    await project.expect(4, ["deploy"]);
    while (!(await project.ok("status")).includes("replicas of it ended")) continue;
    await project.expect(3, ["deploy"]);
    assert.deepEqual(await project.versions(), ["v1"]);
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
  });
});
