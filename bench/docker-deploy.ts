// 50 small HTTP servers (`recreate`, one host port each) deployed on a Docker Engine by the built pctl, from nothing, against a bare client
// of the Engine API that makes as many at a time; both wait until each port is open. Docker compose beside them where there is one;
// it waits for containers that run. All in turn, with a rest between them, so that a busy machine slows all alike; medians. The calls of both are counted.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bed } from "./docker/bed.ts";
import { composeEnvironment, composeFile, findCompose, type Compose } from "./docker/compose.ts";
import { countingSocket } from "./docker/counting-socket.ts";
import { bareWork, declareAll, deployInTurn, deployRows } from "./docker/deploy-all.ts";
import { enginePlace } from "./docker/place.ts";
import { median, report, type Row } from "./report.ts";

const { values } = parseArgs({
  options: { services: { type: "string", default: "50" }, runs: { type: "string", default: "7" } },
});
const amount = { services: Number(values.services), firstPort: 26_000 };
const place = await enginePlace();
await using bed = new Bed(place, `bench-${process.pid}`);

const calls = await countCalls();
const compose = findCompose();
const composed: number[] = [];
const deployed = await deployInTurn(bed, amount, Number(values.runs), async (isCounted) => {
  if (compose === undefined) return;
  const ms = await upByCompose(compose);
  if (isCounted) composed.push(ms);
});
const of = `${amount.services} services on docker`;
report(import.meta.filename, [
  ...deployRows(of, deployed, { atMost: 1.1 }),
  {
    name: `${of}: calls to the engine`,
    value: calls.pctl,
    unit: "calls",
    baseline: { name: "bare client", value: calls.bare },
  },
  ...(compose === undefined ? [] : composeRows(compose.version)),
]);

/** Through a socket that counts, and slows: so before anything is timed. */
async function countCalls(): Promise<{ readonly pctl: number; readonly bare: number }> {
  await using counting = await countingSocket(place.socket, join(bed.folder, "counting.sock"));
  declareAll(bed, amount, { socket: counting.path });
  await bed.pctl("deploy", "--yes", "--quiet");
  const counts = [...counting.counts()].sort(([, a], [, b]) => b - a);
  process.stdout.write(`calls of pctl: ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}\n`);
  await bed.clear();
  const bare = await bed.bare(bareWork(amount));
  await bed.clear();
  return { pctl: counts.reduce((sum, [, count]) => sum + count, 0), bare: Number(bare.output) };
}

async function upByCompose({ words: called, version }: Compose): Promise<number> {
  const [program = "", ...rest] = called;
  const file = join(bed.folder, "compose.json");
  writeFileSync(file, composeFile(bed.stack, amount.services, amount.firstPort));
  const words = [...rest, "--project-name", bed.stack, "--file", file, "up", "--detach"];
  const ms = await bed.program(program, words, composeEnvironment(place.socket, version));
  await bed.clear();
  return ms;
}

function composeRows(version: string): Row[] {
  const baseline = deployRows(of, deployed)[0]?.baseline;
  return [
    {
      name: `${of}: docker compose ${version}, which waits for no port`,
      value: median(composed),
      unit: "ms",
      ...(baseline === undefined ? {} : { baseline }),
    },
  ];
}
