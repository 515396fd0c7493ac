// The built `pctl plan` and `pctl deploy` that find nothing to do, over 1,000 running containers on a Docker Engine: time and memory of the whole
// process, reading pctl.yaml included, and the calls to the engine. The containers (200 services with five replicas, each a `sleep`) are made by
// pctl's own provider, without the five seconds that each would have to live.
import { parseArgs } from "node:util";
import { join } from "node:path";
import { createDockerProvider } from "../packages/providers/docker/src/provider.ts";
import { Bed, type Took } from "./docker/bed.ts";
import { countingSocket } from "./docker/counting-socket.ts";
import { enginePlace } from "./docker/place.ts";
import { image, medianOf, parallel } from "./docker/services.ts";
import { openPlane } from "./plane/open-plane.ts";
import { report, type Row } from "./report.ts";
import type { ReplicaDriver } from "@ctrlplane/core/provider";

const { values } = parseArgs({
  options: { services: { type: "string", default: "200" }, runs: { type: "string", default: "5" } },
});
const services = Number(values.services);
const replicas = 5;
const runs = Number(values.runs);
const place = await enginePlace();
await using bed = new Bed(place, `bench-${process.pid}`);

declare(place.socket);
await makeAll();
const calls = await countCalls();
const [plans, deploys]: [Took[], Took[]] = [[], []];
for (let run = 0; run <= runs; run += 1) {
  const [plan, deploy] = [await bed.pctl("plan", "--exit-code"), await bed.pctl("deploy", "--yes")];
  if (run > 0) plans.push(plan);
  if (run > 0) deploys.push(deploy);
}
report(import.meta.filename, [...rowsOf("plan", plans), ...rowsOf("deploy", deploys)]);

function declare(socket: string): void {
  const each = `{ image: ${image}, command: [sleep, "1000000"], scale: { replica: ${replicas} }, strategy: recreate, stop: { signal: SIGKILL } }`;
  bed.declare(
    Array.from({ length: services }, (_, index) => `s${index}: ${each}`),
    { socket },
  );
}

async function makeAll(): Promise<void> {
  const startedAt = performance.now();
  const provider = createDockerProvider({
    engine: { ...bed.engine, close: () => Promise.resolve() },
    publicHost: place.address,
    environment: { folder: bed.folder, env: {} },
    through: (driver): ReplicaDriver => ({ ...driver, waitReady: () => Promise.resolve() }),
  });
  const { plane, deploy } = openPlane(bed.folder, provider, { parallel });
  await deploy();
  await plane.close();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stdout.write(`${services * replicas} containers started in ${seconds} s\n`);
}

async function countCalls(): Promise<number> {
  await using counting = await countingSocket(place.socket, join(bed.folder, "counting.sock"));
  declare(counting.path);
  await bed.pctl("deploy", "--yes");
  const counts = [...counting.counts()];
  process.stdout.write(`calls: ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}\n`);
  declare(place.socket);
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

function rowsOf(command: string, took: readonly Took[]): Row[] {
  const of = `no-op ${command}, ${services * replicas} containers on docker`;
  const cost: Row[] = [
    { name: `${of}: whole process`, value: medianOf(took, (one) => one.wallMs), unit: "ms", goal: { atMost: 2000 } },
    { name: `${of}: processor time, user and system`, value: medianOf(took, (one) => one.cpuMs), unit: "ms" },
    {
      name: `${of}: largest memory (RSS)`,
      value: medianOf(took, (one) => one.rssMb),
      unit: "MB",
      goal: { atMost: 250 },
    },
  ];
  const asked: Row = { name: `${of}: calls to the engine`, value: calls, unit: "calls", goal: { atMost: 5 } };
  return command === "deploy" ? [...cost, asked] : cost;
}
