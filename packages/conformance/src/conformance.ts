import { problemOf } from "./table.ts";
import { isBad, type Deviations, type Report } from "./report.ts";
import { checkDeviations, chooseBehaviours, startRun, type Run } from "./run.ts";
import type { Harness } from "./harness.ts";

/** What a test runner gives: `node:test` and vitest fit as they are. */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

export interface ConformanceOptions {
  /** The harness, or how to make it: called when the first test begins. */
  readonly harness: Harness | (() => Harness | Promise<Harness>);
  /** In titles: `docker conforms`. */
  readonly name: string;
  readonly runner: Runner;
  readonly deviations?: Deviations;
  /** Names of groups, or ids, to run alone. */
  readonly only?: readonly string[];
}

/**
 * Registers a test for every behaviour. All of them begin with the first test, side by side, and each test waits for its own: so it
 * is of no use to choose tests in the runner; use `only`. The harness is closed at the end. The last test waits for that.
 */
export function conformance(options: ConformanceOptions): { readonly report: () => Promise<Report> } {
  const { harness, name, runner, deviations = {}, only } = options;
  checkDeviations(deviations);
  const chosen = chooseBehaviours(only);
  let started: Promise<Run> | undefined;
  const run = (): Promise<Run> => (started ??= start());
  const start = async (): Promise<Run> => {
    const made = await (typeof harness === "function" ? harness() : harness);
    return startRun({ harness: made, deviations, ...(only === undefined ? {} : { only }) });
  };
  const report = async (): Promise<Report> => (await run()).report;
  runner.describe(`${name} conforms`, () => {
    for (const { id } of chosen) {
      runner.test(id, async () => {
        const seen = await (await run()).behaviours.get(id);
        if (seen !== undefined && isBad(seen)) throw new Error(problemOf(seen).join("\n"));
      });
    }
    runner.test("the harness was closed", async () => void (await report()));
  });
  return { report };
}
