import { strict as assert } from "node:assert";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonFile, layout } from "./layout.ts";
import { processesIn } from "./process-table.test.support.ts";
import { isAlive } from "./process/identity.ts";
import { readJsonFile } from "./process/json-file.ts";
import { freePort } from "./process/ports.ts";
import type { ProcessIdentity } from "./supervisor/records.ts";
import { deployRequest, rolling, workbench } from "./workbench.test.support.ts";

const server = (word: string) =>
  `require("node:http").createServer((q, r) => r.end("${word}")).listen(process.env.PORT)`;
const replicas = 3;
const kills = 10;

test("a rolling deploy whose supervisor is killed at ten moments: the same deploy again reaches it, without doubles", async (t) => {
  const { dir, provider, instance, write, deploy, prepare, context } = await workbench(t);
  // Where no supervisor looks for a replica's port first.
  const hostPort = await freePort(new Set(), [{ from: 10_000, to: 20_000 }]);
  const ports = [{ containerPort: 3000, hostPort, protocol: "auto" as const }];
  const spec = { ports, scale: { replicas }, strategy: { ...rolling, batch: { count: 1 } } };
  await write("server.js", server("one"));
  let previous = await deploy(1, spec);

  const over = new AbortController();
  const failures: unknown[] = [];
  const asking = ask(`http://127.0.0.1:${hostPort}`, over.signal, failures);
  const moments: number[] = [];
  for (let number = 2; moments.length < kills; number += 1) {
    await write("server.js", server(`release ${number}`));
    const release = await prepare(number, spec);
    const request = deployRequest(release, { previous });
    const startedAt = performance.now();
    const deployed = new AbortController();
    const killing = (async () => {
      while (moments.length < kills && !deployed.signal.aborted) {
        await setTimeout(50 + Math.random() * 1200);
        const supervisor = readJsonFile<ProcessIdentity>(daemonFile(dir, "supervisor"));
        if (supervisor === undefined || !isAlive(supervisor) || deployed.signal.aborted) continue;
        process.kill(supervisor.pid, "SIGKILL");
        moments.push(Math.round(performance.now() - startedAt));
      }
    })();
    try {
      await provider.deploy(request, context);
    } catch (error) {
      assert.ok(isCtrlPlaneError(error), String(error));
      t.diagnostic(`release ${number}: ${error.code} ${error.message}`);
    }
    deployed.abort();
    await killing;

    await provider.deploy(request, context);
    const status = await provider.status({ instance }, context);
    assert.deepEqual([status.state, status.settled?.number], ["serving", number]);
    assert.deepEqual(new Set(status.replicas.map((each) => each.ordinal)), new Set([1, 2, 3]));
    assert.equal(status.replicas.length, replicas);
    assert.equal(processesIn(layout(dir).replicas).length, replicas);
    assert.equal(await (await fetch(`http://127.0.0.1:${hostPort}`)).text(), `release ${number}`);
    previous = release;
  }
  over.abort();
  t.diagnostic(`killed at ${moments.join(", ")} ms; ${await asking} requests`);
  assert.deepEqual(failures, []);
});

/** Asks again and again; what is not answered with 200 is a failure. Returns how often it asked. */
async function ask(url: string, over: AbortSignal, failures: unknown[]): Promise<number> {
  let count = 0;
  for (; !over.aborted; count += 1) {
    try {
      const response = await fetch(url);
      await response.text();
      if (response.status !== 200) failures.push(response.status);
    } catch (error) {
      failures.push(error);
    }
    await setTimeout(20);
  }
  return count;
}
