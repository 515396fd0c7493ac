import { availableParallelism } from "node:os";
import type { Capability, PlatformHealth, Provider } from "@ctrlplane/core/provider";
import type { Behaviour } from "./behaviour.ts";
import { Bench } from "./bench.ts";
import { behaviours } from "./behaviours/index.ts";
import type { Harness } from "./harness.ts";
import { Refused } from "./refused.ts";
import { reportOf, type BehaviourReport, type Deviations, type Outcome, type Report } from "./report.ts";

export interface RunOptions {
  readonly harness: Harness;
  readonly deviations?: Deviations;
  /** Names of groups, or ids, to run alone. Default: all. */
  readonly only?: readonly string[];
  /** Most milliseconds a behaviour may take. Default 60,000. */
  readonly timeoutMs?: number;
}

/** Runs that have begun: each behaviour's report as soon as it is there, and the whole. */
export interface Run {
  readonly behaviours: ReadonlyMap<string, Promise<BehaviourReport>>;
  /** After the harness was closed. */
  readonly report: Promise<Report>;
}

/** The behaviours that these words choose. Throws for a word that chooses none. */
export function chooseBehaviours(only: readonly string[] = []): readonly Behaviour[] {
  const unknown = only.find((word) => !behaviours.some((each) => isChosen(each, word)));
  if (unknown !== undefined) throw new Error(`no behaviour and no group is named ${unknown}`);
  return only.length === 0 ? behaviours : behaviours.filter((each) => only.some((word) => isChosen(each, word)));
}

function isChosen({ id, group }: Behaviour, word: string): boolean {
  return id === word || group === word;
}

/** Throws for deviations of behaviours that do not exist. */
export function checkDeviations(deviations: Deviations): void {
  const unknown = Object.keys(deviations).filter((id) => !behaviours.some((each) => each.id === id));
  if (unknown.length > 0) throw new Error(`deviations of behaviours that do not exist: ${unknown.join(", ")}`);
}

/** Runs all that was chosen, as many at a time as the harness allows, and closes the harness. */
export function startRun({ harness, deviations = {}, only, timeoutMs = 60_000 }: RunOptions): Run {
  checkDeviations(deviations);
  const chosen = chooseBehaviours(only);
  const provider = harness.connect();
  const health = provider.health(new Bench(harness, provider, noHealth, []).context());
  // Each behaviour tells of it; with none that asks, nobody would.
  health.catch(() => undefined);
  const free = new Slots(harness.parallel ?? Math.max(4, 4 * availableParallelism()));
  const reports = new Map(
    chosen.map((behaviour) => [
      behaviour.id,
      free.take(async () => {
        const startedAt = performance.now();
        const { outcome, problem } = await judge(behaviour, harness, health, timeoutMs);
        const deviation = deviations[behaviour.id];
        const { id, group, intent } = behaviour;
        return {
          id,
          group,
          intent,
          outcome: deviation === undefined ? outcome : asDeclared(outcome),
          elapsedMs: performance.now() - startedAt,
          ...(problem === undefined ? {} : { problem }),
          ...(deviation === undefined ? {} : { deviation }),
        };
      }),
    ]),
  );
  const whole = async (): Promise<Report> => {
    try {
      const all = await Promise.all(reports.values());
      return reportOf(
        { provider: harness.name, provenBy: harness.provenBy, capabilities: provider.capabilities() },
        all,
      );
    } finally {
      await provider.close();
      await harness.close();
    }
  };
  const report = whole();
  // Asked for at the end: until then its failure must not end the process.
  report.catch(() => undefined);
  return { behaviours: reports, report };
}

const noHealth: PlatformHealth = { platformId: "", version: "", description: "", diagnostics: [], facts: {} };

function asDeclared(outcome: Outcome): Outcome {
  if (outcome === "fails") return "deviates";
  return outcome === "holds" ? "stale" : outcome;
}

async function judge(
  behaviour: Behaviour,
  harness: Harness,
  health: Promise<PlatformHealth>,
  timeoutMs: number,
): Promise<{ readonly outcome: Outcome; readonly problem?: string }> {
  let provider: Provider | undefined;
  let bench: Bench | undefined;
  try {
    provider = harness.connect();
    const declared: readonly Capability[] = provider.capabilities();
    if (behaviour.needs.some((each) => !declared.includes(each))) return { outcome: "undeclared" };
    bench = new Bench(harness, provider, await health, behaviour.needs);
    await within(timeoutMs, behaviour.run(bench));
    return { outcome: "holds" };
  } catch (error) {
    if (error instanceof Refused) return { outcome: "refused", problem: error.message };
    return { outcome: "fails", problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    await bench?.close();
    await provider?.close();
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${ms / 1000} s`)), ms);
  });
  try {
    await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** So many at a time, in their order. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
