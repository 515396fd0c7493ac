import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import type { RunningPlatform } from "@ctrlplane/provider-reference";
import { finish, running, withBench, type Bench } from "./engine-fixture.ts";

const main = fileURLToPath(new URL("deploy-main.ts", import.meta.url));

interface Deploy {
  readonly services: string;
  readonly atomic?: boolean;
}

/** Deploys in another process, which one of the platforms kills at a call; true where that happened. */
async function deployAndDie(
  bench: Bench,
  others: Readonly<Record<string, string>>,
  { services, atomic = false }: Deploy,
): Promise<boolean> {
  const options = JSON.stringify({ others, atomic });
  const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, main, bench.folder, bench.platform.socket, services, options], {
    stdio: "ignore",
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null]; // the event's two arguments
  return signal === "SIGKILL";
}

async function unfinished(platform: RunningPlatform): Promise<string[]> {
  return Object.keys((await platform.harness.dump()).ledger).filter((name) => name.includes("intent"));
}

const step = process.env["SOAK"] === "1" ? 1 : 17;

const listed = (image: string): string =>
  `  web: { image: "${image}", provider: [ref, other], strategy: { type: recreate, timeout: 5s, drain: 1s } }`;
const pair = (image: string, last = image): string =>
  `  db: { image: "${image}", strategy: { type: recreate } }\n  web: { image: "${last}", needs: [db], strategy: { type: recreate, timeout: 5s } }`;

describe("killed while several are deployed together", { concurrency: 4 }, () => {
  const lists = [
    { name: "wanted again", during: "ok:2", after: "ok:2" },
    { name: "the old one wanted again", during: "ok:2", after: "ok:1" },
    { name: "while it fails and goes back", during: "crash:1", after: "ok:3" },
  ];
  for (const { name, during, after } of lists) {
    for (const where of ["ref", "other"] as const) {
      test(`one service on two platforms, killed on ${where}, ${name}`, async (context) => {
        let points = 0;
        for (let nth = 1; ; nth += step) {
          let wasKilled = false;
          await withBench(async (bench) => {
            const other = await bench.otherPlatform();
            const others = { other: other.socket };
            const deploy = async (image: string) =>
              finish(bench.plane.stacks.deploy(await bench.stack(listed(image), others)));
            assert.equal((await deploy("ok:1")).exitCode, 0);
            const { harness } = where === "ref" ? bench.platform : other;
            await harness.fault({ call: "*", kind: points % 2 === 0 ? "kill-before" : "kill-after", nth });
            wasKilled = await deployAndDie(bench, others, { services: listed(during) });
            await harness.clearFaults();
            const healed = await deploy(after);
            assert.equal(healed.exitCode, 0, JSON.stringify(healed.change.result));
            for (const platform of [bench.platform, other]) {
              assert.deepEqual(await running(platform), [`shop-web ${after} 100%`], `call ${nth}`);
              assert.deepEqual(await unfinished(platform), []);
            }
          });
          if (!wasKilled) break;
          points += 1;
        }
        context.diagnostic(`${points} points`);
        assert.ok(points >= 3, `only ${points} calls were met`);
      });
    }
  }

  const atomics = [
    { name: "that succeeds, wanted again", during: pair("ok:2"), after: "ok:2" },
    { name: "that fails and goes back, the old one wanted again", during: pair("ok:2", "crash:1"), after: "ok:1" },
  ];
  for (const { name, during, after } of atomics) {
    test(`an atomic change ${name}`, async (context) => {
      let points = 0;
      for (let nth = 1; ; nth += step) {
        let wasKilled = false;
        await withBench(async (bench) => {
          await finish(bench.plane.stacks.deploy(await bench.stack(pair("ok:1"))));
          const { harness } = bench.platform;
          await harness.fault({ call: "*", kind: points % 2 === 0 ? "kill-before" : "kill-after", nth });
          wasKilled = await deployAndDie(bench, {}, { services: during, atomic: true });
          await harness.clearFaults();
          const healed = await finish(bench.plane.stacks.deploy(await bench.stack(pair(after))));
          assert.equal(healed.exitCode, 0, JSON.stringify(healed.change.result));
          assert.deepEqual(await running(bench.platform), [`shop-db ${after} 100%`, `shop-web ${after} 100%`]);
          assert.deepEqual(await unfinished(bench.platform), []);
        });
        if (!wasKilled) break;
        points += 1;
      }
      context.diagnostic(`${points} points`);
      assert.ok(points >= 3, `only ${points} calls were met`);
    });
  }
});
