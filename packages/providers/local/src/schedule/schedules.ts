import { systemAlarm } from "./alarm.ts";
import { scheduledInstances } from "./files.ts";
import type { ScheduleRequest } from "./records.ts";
import type { Scheduler, SchedulerParts } from "./scheduler.ts";

/** The scheduler of a supervisor, which is loaded where there is a schedule: most data folders have none. */
export class Schedules {
  readonly #parts: Omit<SchedulerParts, "alarm">;
  #loading: Promise<Scheduler> | undefined;
  #scheduler: Scheduler | undefined;

  constructor(parts: Omit<SchedulerParts, "alarm">) {
    this.#parts = parts;
  }

  /** Once its replicas are known. */
  async adopt(): Promise<void> {
    if (scheduledInstances(this.#parts.dir).length > 0) await this.#load();
  }

  get isUsed(): boolean {
    return this.#scheduler?.isUsed === true;
  }

  async set(name: string, request: ScheduleRequest | undefined): Promise<void> {
    if (request === undefined && this.#loading === undefined) return;
    await (await this.#load()).set(name, request);
  }

  async quiet(name: string): Promise<void> {
    await this.#scheduler?.quiet(name);
  }

  async release(): Promise<void> {
    await this.#scheduler?.release();
  }

  #load(): Promise<Scheduler> {
    this.#loading ??= import("./scheduler.ts").then((loaded) => {
      const scheduler = new loaded.Scheduler({ ...this.#parts, alarm: systemAlarm });
      scheduler.adopt();
      this.#scheduler = scheduler;
      return scheduler;
    });
    return this.#loading;
  }
}
