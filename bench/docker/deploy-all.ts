import { setTimeout } from "node:timers/promises";
import type { Row } from "../report.ts";
import type { Bed, Took } from "./bed.ts";
import { command, declareServer, image, medianOf, parallel } from "./services.ts";

export interface Deployed {
  readonly pctl: readonly Took[];
  readonly bare: readonly Took[];
}

/** All services, with the first host port. */
export interface Amount {
  readonly services: number;
  readonly firstPort: number;
}

export function declareAll(bed: Bed, { services, firstPort }: Amount, options = bed.place.options): void {
  const { address } = bed.place;
  bed.declare(
    Array.from({ length: services }, (_, index) => declareServer(index, firstPort + index, address)),
    options,
  );
}

export function bareWork({ services, firstPort }: Amount): Readonly<Record<string, unknown>> {
  return { image, command, env: ["VERSION=1"], services, firstPort, parallel };
}

/** After many containers ended the kernel still has their networks to clean up, and would do that during the next one's time. */
const restMs = 3000;

/** From nothing, in turn, each first every other time; the first round warms up, and is not counted. `between` takes part in each. */
export async function deployInTurn(
  bed: Bed,
  amount: Amount,
  runs: number,
  between: (isCounted: boolean) => Promise<void> = () => Promise.resolve(),
): Promise<Deployed> {
  const [pctl, bare]: [Took[], Took[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const isCounted = run > 0;
    const deploys = [
      () => byBare(bed, amount, isCounted ? bare : []),
      () => byPctl(bed, amount, isCounted ? pctl : []),
    ];
    for (const deploy of run % 2 === 0 ? deploys : deploys.toReversed()) {
      await deploy();
      await bed.clear();
      await setTimeout(restMs);
    }
    await between(isCounted);
    await setTimeout(restMs);
  }
  return { pctl, bare };
}

async function byBare(bed: Bed, amount: Amount, took: Took[]): Promise<void> {
  took.push(await bed.bare(bareWork(amount)));
}

async function byPctl(bed: Bed, amount: Amount, took: Took[]): Promise<void> {
  declareAll(bed, amount);
  took.push(await bed.pctl("deploy", "--yes", "--quiet"));
}

export function deployRows(name: string, { pctl, bare }: Deployed, goal?: Row["goal"]): Row[] {
  const beside = (pick: (one: Took) => number): Pick<Row, "value" | "unit" | "baseline"> => ({
    value: medianOf(pctl, pick),
    unit: "ms",
    baseline: { name: "bare client", value: medianOf(bare, pick) },
  });
  return [
    { name: `${name}: deployed`, ...beside((one) => one.wallMs), ...(goal === undefined ? {} : { goal }) },
    { name: `${name}: processor time of the client`, ...beside((one) => one.cpuMs) },
  ];
}
