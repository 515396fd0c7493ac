import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import type { ChildProcess } from "node:child_process";
import { Project } from "./fixture.ts";
import { outcomeOf } from "./workbench.ts";

const slow = (version: string) => ({ version, startMs: 6000 });

/** A deploy that has the lease, and is busy for seconds. */
async function busyDeploy(project: Project): Promise<{ child: ChildProcess; outcome: ReturnType<typeof outcomeOf> }> {
  const child = project.start(["deploy", "--json"]);
  child.stdin?.end();
  const outcome = outcomeOf(child);
  if (child.stdout === null) throw new Error("its output is not piped");
  for (let said = ""; !said.includes('"replica.created"');) {
    const [chunk] = (await Promise.race([once(child.stdout, "data"), outcome.then(() => ["ended"])])) as [
      Buffer | string,
    ];
    assert.notEqual(chunk, "ended");
    said += String(chunk);
  }
  return { child, outcome };
}

describe("two deploys at once", { concurrency: true }, () => {
  test("the second waits, says for whom, and finishes", async () => {
    await using project = await Project.withServer(slow("v1"));
    const first = await busyDeploy(project);
    await project.change(slow("v2"));
    const second = await project.pctl(["deploy"]);
    assert.equal((await first.outcome).code, 0);
    assert.equal(second.code, 0, second.stdout + second.stderr);
    assert.match(
      second.stdout + second.stderr,
      new RegExp(`waits for ann on \\S+ \\(deploy, pid ${first.child.pid}\\)`),
    );
    assert.deepEqual(await project.versions(), ["v2"]);
    assert.deepEqual(project.replicaNames(), ["shop-web"]);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("with --lock-wait 0s it ends with exit 5, names the holder, and touches nothing", async () => {
    await using project = await Project.withServer(slow("v1"));
    const first = await busyDeploy(project);
    await project.change(slow("v2"));
    const second = await project.pctl(["deploy", "--lock-wait", "0s"]);
    assert.equal(second.code, 5, second.stdout + second.stderr);
    assert.match(second.stdout + second.stderr, new RegExp(`ann on \\S+ .*pid ${first.child.pid}`));
    assert.equal((await first.outcome).code, 0);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("a holder that was killed is replaced at once", async () => {
    await using project = await Project.withServer(slow("v1"));
    const first = await busyDeploy(project);
    first.child.kill("SIGKILL");
    await first.outcome;
    await project.expect(0, ["deploy", "--lock-wait", "0s"]);
    assert.deepEqual(project.replicaNames(), ["shop-web"]);
  });
});
