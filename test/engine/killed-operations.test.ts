import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import type { Change, Run } from "@ctrlplane/core";
import { finish, running, withBench, type Bench } from "./engine-fixture.ts";

const main = fileURLToPath(new URL("operate-main.ts", import.meta.url));
const web = (image: string): string => `  web: { image: "${image}", strategy: recreate, scale: { replica: 2 } }`;
const commands = ["scale", "stop", "restart", "rollback", "destroy"] as const;

async function dieAt(bench: Bench, command: string, nth: number): Promise<boolean> {
  const kind = nth % 2 === 0 ? "kill-before" : "kill-after";
  await bench.platform.harness.fault({ call: "*", nth, kind });
  const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, main, bench.folder, bench.platform.socket, web("ok:2"), command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null]; // the event's two arguments
  await bench.platform.harness.clearFaults();
  if (signal === "SIGKILL") return true;
  assert.equal(code, 0, errors);
  return false;
}

interface Next {
  readonly name: string;
  run(bench: Bench): Promise<Run<Change>>;
  /** What runs then, each once. */
  readonly runs: readonly string[];
}

const two = (image: string): string[] => [`shop-web-1 ${image} 50%`, `shop-web-2 ${image} 50%`];

const nexts: readonly Next[] = [
  { name: "deploy", run: async (b) => b.plane.stacks.deploy(await b.stack(web("ok:2"))), runs: two("ok:2") },
  { name: "another", run: async (b) => b.plane.stacks.deploy(await b.stack(web("ok:3"))), runs: two("ok:3") },
  { name: "destroy", run: async (b) => b.plane.stacks.destroy(await b.stack(web("ok:2"))), runs: [] },
];

describe("killed, and the next plain command", { concurrency: 4 }, () => {
  for (const command of commands) {
    test(command, async (context) => {
      const step = process.env["SOAK"] === "1" ? 1 : 14;
      let points = 0;
      // Below 12 it only looks.
      for (let nth = process.env["SOAK"] === "1" ? 1 : 13; ; nth += step) {
        let wasKilled = false;
        await withBench(async (bench) => {
          await finish(bench.plane.stacks.deploy(await bench.stack(web("ok:1"))));
          await finish(bench.plane.stacks.deploy(await bench.stack(web("ok:2"))));
          wasKilled = await dieAt(bench, command, nth);
          const next = nexts[(points + commands.indexOf(command)) % nexts.length];
          assert.ok(next !== undefined);
          const { exitCode, change } = await finish(next.run(bench));
          const what = `${command} killed at ${nth}, then ${next.name}: ${JSON.stringify(change.result)}`;
          assert.equal(exitCode, 0, what);
          assert.deepEqual(await running(bench.platform), next.runs, what);
          const state = await bench.platform.harness.dump();
          assert.equal(Object.keys(state.replicas).length, next.runs.length, what);
          assert.deepEqual(
            Object.keys(state.ledger).filter((name) => name.includes("/intents/")),
            [],
            what,
          );
          const history = await bench.plane.stacks.history(await bench.stack(web("ok:2")));
          assert.deepEqual(
            history.map((each) => each.number),
            history.map((_, index) => history.length - index),
            what,
          );
        });
        if (!wasKilled) break;
        points += 1;
      }
      context.diagnostic(`${points} points`);
      assert.ok(points >= 2, `only ${points} calls were met`);
    });
  }
});
