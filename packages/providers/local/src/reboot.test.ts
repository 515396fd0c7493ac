import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { localMachine } from "./machine.ts";
import { isAlive } from "./process/identity.ts";
import { freePort } from "./process/ports.ts";
import { killed } from "./supervisor/testing.ts";
import { testIdentity, testRelease } from "./fixtures.test.support.ts";
import { deployRequest, processesOf, workbench } from "./workbench.test.support.ts";

const server = `require("node:http").createServer((q, r) => r.end("up")).listen(process.env.PORT)`;

/** As a loss of power: everything is gone at once, and nobody had the time to say so. */
async function powerCut(dir: string): Promise<void> {
  const all = processesOf(dir);
  // The supervisor first, or it would start again what ends.
  for (const each of all) if (isAlive(each)) await killed(each);
}

describe("after a restart of the machine", { concurrency: 3 }, () => {
  for (const [way, again] of [
    ["the same deploy", "deploy"],
    ["pctl start", "start"],
    ["a supervisor alone", "machine"],
  ] as const) {
    test(`what should run is told to be down, and ${way} brings it back`, async (t) => {
      const { dir, provider, instance, write, deploy, prepare, context } = await workbench(t);
      await write("server.js", server);
      const hostPort = await freePort(new Set());
      const ports = [{ containerPort: 3000, hostPort, protocol: "auto" as const }];
      const release = await deploy(1, { ports, scale: { replicas: 2 } });
      const ended = testIdentity(instance.platformId, "ended");
      const { spec, image } = await prepare(1, {});
      await provider.deploy(deployRequest(testRelease(ended, spec, image), { deployment: "dep_ended" }), context);
      await provider.stop({ instance: ended, signal: "SIGTERM", graceMs: 1000, drainMs: 0 }, context);
      await powerCut(dir);

      const machine = localMachine({ dir, env: process.env });
      const states = async () =>
        (await provider.list({}, context)).instances.map(({ name, state, revisions }) => [
          name,
          state,
          revisions.map((each) => `${each.ready} of ${each.desired}`).join(),
        ]);
      assert.deepEqual(await states(), [
        ["shop-ended", "stopped", "0 of 0"],
        ["shop-web", "down", "0 of 2"],
      ]);
      const seen = await machine.status();
      assert.deepEqual([seen.supervisor, seen.gateway], [undefined, undefined]);
      assert.deepEqual(
        seen.replicas.flatMap((each) => each.pid ?? []),
        [],
      );

      const { journal, deployment } = deployRequest(release);
      if (again === "deploy") await provider.deploy(deployRequest(release), context);
      else if (again === "start")
        await provider.start({ instance, release, replicas: 2, deployment, journal }, context);
      else {
        await machine.start();
        await waitUntil(async () => (await states())[1]?.[1] === "serving");
      }
      assert.deepEqual(await states(), [
        ["shop-ended", "stopped", "0 of 0"],
        ["shop-web", "serving", "2 of 2"],
      ]);
      assert.equal(await (await fetch(`http://127.0.0.1:${hostPort}`)).text(), "up");
      assert.equal((await machine.status()).gateway?.isOld, false);
    });
  }
});

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  while (!(await condition())) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
