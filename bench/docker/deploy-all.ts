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

/** From nothing, in turn; the first round warms up, and is not counted. `between` takes part in each. */
export async function deployInTurn(
  bed: Bed,
  amount: Amount,
  runs: number,
  between: (isCounted: boolean) => Promise<void> = () => Promise.resolve(),
): Promise<Deployed> {
  const [pctl, bare]: [Took[], Took[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const one = await bed.bare(bareWork(amount));
    await bed.clear();
    declareAll(bed, amount);
    const other = await bed.pctl("deploy", "--yes", "--quiet");
    await bed.clear();
    await between(run > 0);
    if (run > 0) bare.push(one);
    if (run > 0) pctl.push(other);
  }
  return { pctl, bare };
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
