import { replicaFiles, type ReplicaFiles } from "../layout.ts";
import { flushToDisk, overwriteJson, readVolatileJson, replaceJsonFile } from "../process/json-file.ts";
import { Changes } from "./changes.ts";
import { watchHealth } from "./health-watch.ts";
import { freshState } from "./read.ts";
import type { ExitRecord, ProcessStop, ReplicaPolicy, ReplicaRecord, ReplicaState, RunEnd } from "./records.ts";
import { adoptRun, launchRun, signalRun, type ReplicaRun } from "./replica-run.ts";
import { pause, restartDelay, settledMs } from "./timing.ts";
import { Turns } from "./turns.ts";
import { log } from "../process/log.ts";

/** What a replica needs of the supervisor. */
export interface ReplicaHost {
  /** The whole environment of a replica, opened. */
  environment(record: ReplicaRecord): Readonly<Record<string, string>>;
  /** Its ports can be listened on; those that others took meanwhile are replaced. */
  ensurePorts(record: ReplicaRecord): Promise<ReplicaRecord>;
  /** Control groups that hold its limits; made if they are missing. */
  enterGroups(record: ReplicaRecord): { readonly join: readonly string[]; readonly leave: readonly string[] };
  /** Whether memory ran out in its control groups since they were entered. */
  ranOutOfMemory(record: ReplicaRecord): boolean;
  /** Its first process has ended: what is left of it in its control groups ends too. */
  endLeftovers(record: ReplicaRecord): void;
  /** A run is about to write to the log. */
  markRun(files: ReplicaFiles, run: number): void;
  /** Readiness, ports or life of it changed. */
  changed(replica: SupervisedReplica): void;
}

/**
 * One replica that the supervisor looks after. While it is wanted, a loop starts it, watches it and starts it again. Every fact
 * is in its files before anybody is told.
 */
export class SupervisedReplica {
  readonly files: ReplicaFiles;
  readonly changes = new Changes();
  record: ReplicaRecord;
  state: ReplicaState;
  /** The run that lives. */
  live: ReplicaRun | undefined;
  /** What the last probe found wrong with the run that lives. */
  problem: string | undefined;
  readonly #host: ReplicaHost;
  #loop: Promise<void> | undefined;
  #wake = new AbortController();
  #policy = new AbortController();

  constructor(folder: string, record: ReplicaRecord, host: ReplicaHost) {
    this.files = replicaFiles(folder);
    this.record = record;
    this.#host = host;
    this.state = readVolatileJson<ReplicaState>(this.files.state) ?? freshState;
  }

  /** It runs, or will be started without being asked. */
  get isKept(): boolean {
    return this.#loop !== undefined;
  }

  /** Takes over what an earlier supervisor left: what runs is watched again, what is wanted and ended meanwhile is started. */
  async adopt(): Promise<void> {
    const run = await adoptRun(this.files, this.record.cwd);
    const isOpen = run !== undefined && this.state.lastEnd?.run !== run.run;
    if (!isOpen && this.record.desired !== "running") return;
    // A run that came by a schedule has its time, and that is over.
    if (!isOpen && (this.#isOver() || this.record.scheduledAt !== undefined)) return;
    this.#loop ??= this.#keep(isOpen ? run : undefined);
    if (this.record.desired === "stopped" && isOpen) {
      const graceMs = Math.max(0, (this.state.stopping?.killAt ?? 0) - Date.now());
      void this.stop({ signal: this.record.policy.stop.signal, graceMs });
    }
  }

  /** Returns when its process runs, or could not be started. A job that has ended is not started again. */
  async start(): Promise<void> {
    if (this.record.desired !== "running") {
      await this.#loop;
      await this.#write({ desired: "running" });
      // Written with the start.
      this.state = { ...this.state, starts: 0 };
    } else if (this.#loop === undefined && this.#isOver()) return;
    // Whoever asks again means a new attempt: what made it fail until now, a full disk perhaps, may be over.
    if (!this.state.ready) this.state = { ...this.state, failedStarts: 0 };
    const before = this.state.lastEnd?.run ?? 0;
    this.#loop ??= this.#keep(undefined);
    this.#wake.abort();
    await this.changes.until(() => this.live?.process !== undefined || (this.state.lastEnd?.run ?? 0) > before);
  }

  /** Returns when nothing of it runs. */
  async stop(stop: ProcessStop): Promise<void> {
    if (this.record.desired === "running") await this.#write({ desired: "stopped" });
    await this.end(stop);
  }

  /** Ends the process and the loop that keeps it; what is wanted stays as it is recorded. */
  async end(stop: ProcessStop): Promise<void> {
    this.#isEnding = true;
    this.#wake.abort();
    // A start that is under way is waited for: there is nothing yet that could be signalled.
    await this.changes.until(() => this.live !== undefined || this.#loop === undefined);
    await this.#endRun(stop);
    await this.#loop;
  }

  async configure(policy: ReplicaPolicy): Promise<void> {
    await this.#write({ policy });
    const before = this.#policy;
    this.#policy = new AbortController();
    before.abort();
  }

  update(change: Partial<ReplicaState>): void {
    this.state = { ...this.state, ...change };
    overwriteJson(this.files.state, this.state);
    this.changes.tell();
    this.#host.changed(this);
  }

  #isEnding = false;

  readonly #writes = new Turns();

  /** Resolves when every change of its record so far is in its file. */
  async written(): Promise<void> {
    await this.#writes.idle("record");
  }

  /** Changes the file first, while others work on, then what is known here. */
  #write(change: Partial<ReplicaRecord>): Promise<void> {
    return this.#writes.take("record", async () => {
      const record = { ...this.record, ...change };
      await replaceJsonFile(this.files.record, record);
      this.record = record;
    });
  }

  /** It ran, and its policy does not let it run again. */
  #isOver(): boolean {
    return this.record.policy.restart === "never" && this.state.run > 0;
  }

  /** Starts it and watches it, until it is not wanted any more or may not be started again. */
  async #keep(adopted: ReplicaRun | undefined): Promise<void> {
    this.#isEnding = false;
    let run = adopted;
    let shortRuns = 0;
    while (!this.#isEnding) {
      const startedAt = Date.now();
      await this.#follow(run ?? (await this.#launch()));
      run = undefined;
      if (this.#isEnding || this.#isOver()) break;
      shortRuns = Date.now() - startedAt >= settledMs ? 1 : shortRuns + 1;
      this.#wake = new AbortController();
      await pause(restartDelay(shortRuns), this.#wake.signal);
      if (!this.#isEnding) this.update({ restarts: this.state.restarts + 1 });
    }
    this.#loop = undefined;
    this.changes.tell();
    this.#host.changed(this);
  }

  async #launch(): Promise<ReplicaRun> {
    const { ports } = await this.#host.ensurePorts(this.record);
    if (ports !== this.record.ports) await this.#write({ ports });
    const run = this.state.run + 1;
    const { readySince: _, stopping: __, ...kept } = this.state;
    this.state = { ...kept, run, starts: this.state.starts + 1, ready: false, unhealthy: false, hosts: {} };
    this.update({});
    // That a job was started outlives a loss of power, or it would be started again.
    if (this.record.policy.restart === "never") await flushToDisk(this.files.state);
    this.#host.markRun(this.files, run);
    try {
      return await launchRun(this.files, {
        folder: this.files.folder,
        run,
        cwd: this.record.cwd,
        command: this.record.command,
        env: this.#host.environment(this.record),
        groups: this.#host.enterGroups(this.record),
      });
    } catch (error) {
      // The shim, not the replica; told by `waitReady` and in the log, and tried again like every end.
      log(`${this.record.id} could not be started:`, error);
      const message = error instanceof Error ? error.message : String(error);
      const at = new Date().toISOString();
      return { run, ended: Promise.resolve({ run, code: null, signal: null, at, error: { code: "SHIM", message } }) };
    }
  }

  /** Watches a run to its end and records that. */
  async #follow(run: ReplicaRun): Promise<void> {
    const ended = new AbortController();
    this.problem = undefined;
    const started = run.process;
    if (started !== undefined) {
      this.live = run;
      this.changes.tell();
      void watchHealth(this.#watched(Date.parse(started.startedAt)), ended.signal);
    }
    const exit = await run.ended;
    ended.abort();
    this.live = undefined;
    this.#recordEnd(run.run, exit);
  }

  #recordEnd(run: number, exit: ExitRecord | undefined): void {
    const oom = this.#host.ranOutOfMemory(this.record);
    this.#host.endLeftovers(this.record);
    const end = exit ?? { run, code: null, signal: null, at: new Date().toISOString() };
    const lastEnd: RunEnd = { ...end, oom, unknown: exit === undefined };
    const { readySince: _, stopping: __, ...kept } = this.state;
    const failedStarts = this.state.readySince === undefined ? this.state.failedStarts + 1 : 0;
    this.state = { ...kept, lastEnd, failedStarts };
    this.update({ ready: false });
  }

  async #endRun({ signal, graceMs }: ProcessStop): Promise<void> {
    const run = this.live;
    if (run === undefined) return;
    this.update({ ready: false, stopping: { killAt: Date.now() + graceMs } });
    // Checked where a spec is read.
    signalRun(run, signal as NodeJS.Signals);
    const inTime = new AbortController();
    void run.ended.then(() => inTime.abort());
    await pause(graceMs, inTime.signal);
    if (!inTime.signal.aborted) signalRun(run, "SIGKILL");
    await run.ended;
  }

  #watched(startedAt: number): Parameters<typeof watchHealth>[0] {
    return {
      startedAt,
      record: () => this.record,
      state: () => this.state,
      env: () => this.#host.environment(this.record),
      policyChanged: () => this.#policy.signal,
      failedProbe: (reason) => {
        this.problem = reason;
      },
      becameReady: (hosts) => {
        if (this.state.stopping !== undefined) return;
        this.problem = undefined;
        this.update({ ready: true, unhealthy: false, failedStarts: 0, readySince: Date.now(), hosts });
      },
      lostHealth: () => {
        if (this.state.stopping !== undefined) return;
        this.update({ ready: false, unhealthy: true });
        void this.#endRun(this.record.policy.stop);
      },
    };
  }
}
