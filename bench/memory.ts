// Memory over 500 deploys in one process that keeps its control plane open: what is left on the heap after a collection at the end
// beside what was left after the first tenth. Each deploy replaces the one replica of a service on the reference platform, which
// is a process of its own. QUICK=1: a tenth of it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { provider, startReferencePlatform } from "@ctrlplane/provider-reference";
import { openPlane } from "./plane/open-plane.ts";
import { report } from "./report.ts";

const deploys = process.env["QUICK"] === "1" ? 50 : 500;
const tenth = deploys / 10;

setFlagsFromString("--expose-gc");
// A context made after the flag has the function.
const collect = runInNewContext("gc") as () => void;

const folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));
const platform = await startReferencePlatform({ folder: join(folder, "platform") });
const { socket } = platform;
const { plane, deploy } = openPlane(folder, provider.create({ socket }, { name: "reference", folder, env: {} }));
try {
  const heapMb: number[] = [];
  const startedAt = performance.now();
  for (let index = 1; index <= deploys; index += 1) {
    writeFileSync(join(folder, "pctl.yaml"), declaration(index));
    await deploy();
    if (index % tenth === 0) heapMb.push(await heapLeft());
  }
  const eachMs = (performance.now() - startedAt) / deploys;
  process.stdout.write(`heap after each tenth, in MB: ${heapMb.map((each) => each.toFixed(2)).join(" ")}\n`);
  const [first = NaN] = heapMb;
  report(import.meta.filename, [
    {
      name: `heap after ${deploys} deploys in one process`,
      value: heapMb.at(-1) ?? NaN,
      unit: "MB",
      baseline: { name: `after ${tenth}`, value: first },
      goal: { atMost: 1.1 },
    },
    { name: "largest memory (RSS)", value: process.resourceUsage().maxRSS / 1024, unit: "MB" },
    { name: "a deploy of one change, reading pctl.yaml included", value: eachMs, unit: "ms" },
  ]);
} finally {
  await plane.close();
  await platform.stop();
  rmSync(folder, { recursive: true });
}

function declaration(version: number): string {
  return `name: bench
provider: reference
services: { web: { image: "app:${version}", ports: [{ containerPort: 8080 }], health: { http: /up }, strategy: recreate } }
`;
}

/** Twice, with a turn of the event loop between: what a callback held goes with the second. */
async function heapLeft(): Promise<number> {
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
