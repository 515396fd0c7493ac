import { createHash } from "node:crypto";
import type { Sealer } from "@ctrlplane/core/provider";
import { log } from "../process/log.ts";
import { Turns } from "../supervisor/turns.ts";
import type { Alarm } from "./alarm.ts";
import { dueTime, wakeTime } from "./cron.ts";
import { readRuns, readSchedule, removeSchedule, scheduledInstances, writeRuns, writeSchedule } from "./files.ts";
import type { ScheduleRecord, ScheduleRequest } from "./records.ts";
import type { Run, Runs } from "./runs.ts";

/** How long to wait after a time could not be acted on (a full disk) before it is looked at again. */
const retryMs = 5_000;

export interface SchedulerParts {
  readonly dir: string;
  readonly runs: Runs;
  /** False of an instance that is stopped, or gone. */
  readonly isWanted: (instance: string) => boolean;
  readonly sealer: Sealer;
  readonly alarm: Alarm;
}

/**
 * Runs jobs by their schedules. All that it knows is on disk, and each step is written before its effect: one that takes over from
 * another that died begins no run twice. Steps of one instance follow each other.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #schedules = new Map<string, ScheduleRecord>();
  readonly #alarms = new Map<string, () => void>();
  readonly #watched = new Set<string>();
  readonly #turns = new Turns();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Takes over the folder, once its replicas are known. A schedule that cannot be read holds up nothing else. */
  adopt(): void {
    for (const name of scheduledInstances(this.#parts.dir)) {
      try {
        const schedule = readSchedule(this.#parts.dir, name);
        if (schedule !== undefined) this.#take(name, schedule);
      } catch (error) {
        log(`the schedule of ${name} cannot be read, and nothing of it is begun:`, error);
      }
    }
  }

  /** Something may have to be run. */
  get isUsed(): boolean {
    return [...this.#schedules.keys()].some((name) => this.#parts.isWanted(name));
  }

  /** Exactly this is run from the time on that it returns; the instance has its record. */
  async set(name: string, request: ScheduleRequest | undefined): Promise<void> {
    const { dir, sealer, alarm } = this.#parts;
    await this.#turns.take(name, async () => {
      if (request === undefined) {
        await removeSchedule(dir, name);
        this.#schedules.delete(name);
        this.#silence(name);
        return;
      }
      const { env, ...run } = request.run;
      const environment = sealer.seal(JSON.stringify(env), purpose(name));
      const schedule = { ...request, run, environment, registeredAt: alarm.now() };
      await writeSchedule(dir, name, schedule);
      this.#take(name, schedule);
    });
  }

  /** Resolves when no run is just being begun: who says before that it is stopped sees all that runs. */
  async quiet(name: string): Promise<void> {
    await this.#turns.idle(name);
  }

  /** Begins nothing any more: resolves when what was just being begun runs. That lives on. */
  async release(): Promise<void> {
    const names = [...this.#schedules.keys()];
    this.#schedules.clear();
    for (const name of names) this.#silence(name);
    await Promise.all(names.map((name) => this.quiet(name)));
  }

  #take(name: string, schedule: ScheduleRecord): void {
    this.#schedules.set(name, schedule);
    for (const run of this.#parts.runs.of(name)) this.#watch(name, run);
    this.#wakeAgain(name, schedule);
  }

  #silence(name: string): void {
    this.#alarms.get(name)?.();
    this.#alarms.delete(name);
  }

  #wakeAgain(name: string, schedule: ScheduleRecord): void {
    const { alarm, dir } = this.#parts;
    const now = alarm.now();
    const runs = readRuns(dir, name);
    const next = dueTime(schedule, runs, now) ?? wakeTime(schedule, runs, now);
    if (next === undefined) this.#silence(name);
    else this.#ringAt(name, next);
  }

  #ringAt(name: string, timeMs: number): void {
    this.#silence(name);
    this.#alarms.set(
      name,
      this.#parts.alarm.at(timeMs, () => void this.#look(name)),
    );
  }

  /** Does not reject. */
  async #look(name: string): Promise<void> {
    await this.#turns.take(name, async () => {
      const schedule = this.#schedules.get(name);
      if (schedule === undefined) return;
      try {
        await this.#act(name, schedule);
        this.#wakeAgain(name, schedule);
      } catch (error) {
        log(`the schedule of ${name} could not be acted on:`, error);
        this.#ringAt(name, this.#parts.alarm.now() + retryMs);
      }
    });
  }

  async #act(name: string, schedule: ScheduleRecord): Promise<void> {
    const { dir, alarm, isWanted } = this.#parts;
    const runs = readRuns(dir, name);
    const due = dueTime(schedule, runs, alarm.now());
    if (due === undefined) return;
    const { skippedAt: _, ...rest } = runs;
    if (!isWanted(name)) return writeRuns(dir, name, { ...runs, actedAt: due });
    if (schedule.overlap === "skip" && this.#parts.runs.of(name).some((each) => each.isRunning)) {
      log(`${name} still runs: the run of ${new Date(due).toISOString()} is left out`);
      return writeRuns(dir, name, { ...rest, actedAt: due, skippedAt: new Date(due).toISOString() });
    }
    // Before it begins: whoever takes over now does not begin it again.
    await writeRuns(dir, name, { ...rest, actedAt: due });
    await this.#begin(name, schedule, due);
  }

  async #begin(name: string, schedule: ScheduleRecord, due: number): Promise<void> {
    const { runs, dir } = this.#parts;
    const { run } = schedule;
    const scheduledAt = new Date(due).toISOString();
    const id = runId(run.replica.name, run.replica.deployment, scheduledAt);
    try {
      const env = this.#environment(name, schedule);
      await runs.begin({ ...run, replica: { ...run.replica, id, scheduledAt }, env });
    } catch (error) {
      log(`the run of ${name} at ${scheduledAt} could not be begun:`, error);
      const { releaseNumber: release, deployment } = run.replica;
      const at = { startedAt: scheduledAt, endedAt: new Date(this.#parts.alarm.now()).toISOString() };
      await writeRuns(dir, name, { ...readRuns(dir, name), last: { release, deployment, outcome: "failed", ...at } });
    }
    const begun = runs.of(name).find((each) => each.id === id);
    if (begun !== undefined) this.#watch(name, begun);
  }

  #watch(name: string, run: Run): void {
    if (this.#watched.has(run.id)) return;
    this.#watched.add(run.id);
    void this.#follow(name, run)
      .catch((error: unknown) => log(`the end of ${run.id} could not be recorded:`, error))
      .finally(() => this.#watched.delete(run.id));
  }

  /** To its end: then that is on record, and its log in the archive. */
  async #follow(name: string, run: Run): Promise<void> {
    const { dir, runs } = this.#parts;
    const timeoutMs = this.#schedules.get(name)?.timeoutMs;
    const untimed = this.#endLate(run, timeoutMs);
    const last = await run.ended(timeoutMs);
    untimed();
    await this.#turns.take(name, async () => {
      if (last !== undefined) await writeRuns(dir, name, { ...readRuns(dir, name), last });
      await runs.remove(run.id);
    });
  }

  #endLate(run: Run, timeoutMs: number | undefined): () => void {
    if (timeoutMs === undefined || !run.isRunning) return () => undefined;
    const { alarm } = this.#parts;
    const until = run.beganAt + timeoutMs;
    let cancel = (): void => undefined;
    const look = (): void => {
      if (alarm.now() < until) cancel = alarm.at(until, look);
      else run.stop().catch((error: unknown) => log(`${run.id} could not be ended in time:`, error));
    };
    look();
    return () => cancel();
  }

  #environment(name: string, { environment }: ScheduleRecord): Readonly<Record<string, string>> {
    // Authenticated: `set` wrote it.
    return JSON.parse(this.#parts.sealer.open(environment, purpose(name))) as Record<string, string>;
  }
}

function purpose(name: string): string {
  return `environment of the schedule of ${name}`;
}

function runId(name: string, deployment: string, scheduledAt: string): string {
  const text = JSON.stringify([deployment, scheduledAt]);
  return `${name}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
}
