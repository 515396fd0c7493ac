import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { CtrlPlaneError } from "../errors/error.ts";
import type { SettledRelease } from "../model/observed.ts";
import { revisionKey, type Release } from "../model/release.ts";
import { replicaName } from "../model/names.ts";
import type { Clock, Progress, ProviderContext } from "../provider/context.ts";
import type { RolloutDecision, RolloutJournal } from "./journal.ts";
import type { Replica, ReplicaDriver, RoutedSet } from "./replica-driver.ts";
import { instance } from "./samples.test.support.ts";
import { jobEnd, scheduleOf } from "./simulated-jobs.test.support.ts";

export interface Machine extends Replica {
  state: Replica["state"];
  isUnstarted?: boolean;
  readonly image: string;
  readyAt?: number;
  endsAt?: number;
  configuredBy: number;
}

/** Thrown by everything in a process that was killed. */
export class Killed extends Error {}

/** A platform of machines in memory, with a time of its own that passes when nothing else happens. */
export class SimulatedMachines {
  machines: Machine[] = [];
  settled: SettledRelease | undefined;
  stopped = false;
  set: RoutedSet | undefined;
  registered: { readonly release: Release; readonly deployment: string } | undefined;
  decisions: RolloutDecision[] = [];
  readonly told: Progress[] = [];
  /** Writes in their order, e.g. `create 2`. */
  readonly writes: string[] = [];
  /** Fails the release whose ports cannot be had. */
  takenPort: number | undefined;
  now = 0;
  /** Looked at after every write. */
  invariant: () => void = () => undefined;
  private timers: { readonly at: number; readonly wake: () => void }[] = [];
  private made = 0;

  readonly clock: Clock = {
    now: () => this.now,
    monotonic: () => this.now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        this.timers.push({ at: this.now + ms, wake: resolve });
        signal?.addEventListener("abort", () =>
          reject(new CtrlPlaneError("CANCELLED", "cancelled", { cause: signal.reason })),
        );
      }),
  };

  /** Waits for a call while time passes. */
  async run<Result>(call: Promise<Result>): Promise<Result> {
    const watched = { isOver: false };
    const over = (): void => void (watched.isOver = true);
    call.then(over, over);
    for (let rounds = 0; ; rounds += 1) {
      assert.ok(rounds < 100_000, "the call hangs");
      await turn();
      if (watched.isOver) break;
      const [next] = this.timers.toSorted((a, b) => a.at - b.at);
      if (next === undefined) continue;
      this.timers = this.timers.filter((each) => each !== next);
      this.passTo(Math.max(this.now, next.at));
      next.wake();
    }
    return call;
  }

  /** How it all looks in one line: `ready` replicas by release image, in order of ordinal, `*` where routed. */
  look(): string {
    const all = this.machines.toSorted((a, b) =>
      a.image === b.image ? a.ordinal - b.ordinal : a.image < b.image ? -1 : 1,
    );
    return all
      .map(
        (each) =>
          `${each.image}-${each.ordinal}${each.state === "ready" ? "" : `(${each.state})`}${this.isRouted(each) ? "*" : ""}`,
      )
      .join(" ");
  }

  isServing(): boolean {
    return this.machines.some((each) => each.state === "ready" && this.isRouted(each));
  }

  /** A process that uses the platform, which may be killed at its nth call, before or after the effect. */
  process(kill?: { readonly at: number; readonly when: "before" | "after" }): {
    driver: ReplicaDriver;
    context: ProviderContext;
    journal: RolloutJournal;
    abort: AbortController;
    calls: () => number;
  } {
    let calls = 0;
    let isDead = false;
    const abort = new AbortController();
    const live = async <Result>(effect: () => Result | Promise<Result>): Promise<Result> => {
      if (isDead) throw new Killed("killed");
      calls += 1;
      const isLast = kill?.at === calls;
      if (isLast) isDead = true;
      if (isLast && kill.when === "before") throw new Killed("killed");
      const result = await effect();
      if (isDead) throw new Killed("killed");
      return result;
    };
    const write = async <Result>(name: string, effect: () => Result | Promise<Result>): Promise<Result> =>
      live(async () => {
        this.writes.push(name);
        const result = await effect();
        this.invariant();
        return result;
      });
    const context: ProviderContext = {
      signal: abort.signal,
      clock: this.clock,
      log: { debug: () => undefined, warn: () => undefined },
      progress: (progress) => void this.told.push(progress),
      fence: { stack: "shop", epoch: 1, check: () => Promise.resolve() },
      sealer: { seal: (plain) => plain, open: (sealed) => sealed },
    };
    const journal: RolloutJournal = {
      decisions: this.decisions,
      decide: (decision) => live(() => void this.decisions.push(decision)),
    };
    const driver: ReplicaDriver = {
      list: () => live(() => this.machines.map((each) => this.observed(each))),
      instance: () =>
        live(() => ({
          name: instance.name,
          stack: "shop",
          service: "web",
          labels: {},
          stopped: this.stopped,
          addresses: [],
          volumes: [],
          observedFields: [],
          fields: {},
          ...(this.settled === undefined ? {} : { settled: this.settled }),
          ...(this.registered === undefined ? {} : { schedule: scheduleOf(this.registered.release) }),
        })),
      create: ({ release: wanted, ordinal, replicas, deployment }) =>
        write(`create ${wanted.image.declared}-${ordinal}`, () =>
          this.observed(this.create(wanted, ordinal, replicas, deployment)),
        ),
      start: ({ id, name }) => write(`start ${name}`, () => this.start(id)),
      waitReady: ({ id }, _release, { timeoutMs }, { signal }) => live(() => this.waitReady(id, timeoutMs, signal)),
      outlive: ({ id }, ms, { signal }) => live(() => this.outlive(id, ms, signal)),
      waitEnd: ({ id }, { signal }) => live(() => jobEnd(this, id, signal)),
      route: (_instance, set) => write(`route ${this.names(set)}`, () => this.route(set)),
      schedule: (_instance, set) =>
        write(`schedule ${set?.release.number ?? "nothing"}`, () => void (this.registered = set)),
      routed: () => live(() => ({ ...this.set?.targets })),
      drain: ({ id, name }, { timeoutMs }, { signal }) =>
        write(`drain ${name}`, async () => {
          assert.ok(!(id in (this.set?.targets ?? {})), `${name} is drained while it is routed`);
          await this.clock.sleep(Math.min(50, timeoutMs), signal);
        }),
      stop: ({ id, name }) => write(`stop ${name}`, () => this.find(id) && this.end(id, "stopped")),
      remove: ({ id, name }) =>
        write(`remove ${name}`, () => {
          const state = this.find(id)?.state ?? "stopped";
          assert.ok(state === "stopped" || state === "exited", `${name} is removed while it runs`);
          this.machines = this.machines.filter((each) => each.id !== id);
        }),
      configure: ({ id }, { number }) =>
        write("configure", () => {
          const machine = this.find(id);
          if (machine !== undefined) machine.configuredBy = number;
        }),
      settle: (_instance, settled) => write(`settle ${settled?.number}`, () => void (this.settled = settled)),
      markStopped: (_instance, stopped) => write(`markStopped ${stopped}`, () => void (this.stopped = stopped)),
      logs: () => assert.fail("not simulated"),
      exec: () => assert.fail("not simulated"),
      usage: () => assert.fail("not simulated"),
    };
    return { driver, context, journal, abort, calls: () => calls };
  }

  private create(wanted: Release, ordinal: number, replicas: number, deployment: string): Machine {
    const key = revisionKey(wanted.revision);
    const same = this.machines.find(
      (each) => each.deployment === deployment && revisionKey(each) === key && each.ordinal === ordinal,
    );
    if (same !== undefined && same.isUnstarted !== true) return same;
    this.machines = this.machines.filter((each) => each !== same);
    const made: Machine = {
      id: `m${(this.made += 1)}`,
      name: replicaName(instance.name, ordinal, replicas),
      ordinal,
      replicaHash: wanted.revision.replicaHash,
      generation: wanted.revision.generation,
      state: "stopped",
      routed: false,
      restarts: 0,
      deployment,
      image: wanted.image.declared,
      configuredBy: wanted.number,
      isUnstarted: true,
    };
    this.machines.push(made);
    return made;
  }

  private start(id: string): void {
    const machine = this.find(id);
    assert.ok(machine, "what is started exists");
    if (machine.state !== "stopped" && machine.state !== "exited") return;
    const twin = this.machines.find(
      (each) =>
        each !== machine &&
        revisionKey(each) === revisionKey(machine) &&
        each.ordinal === machine.ordinal &&
        !(each.isAltered === true || each.state === "stopped" || each.state === "exited"),
    );
    assert.equal(twin, undefined, `${machine.name} is doubled`);
    const [kind, ms] = machine.image.split(":");
    machine.state = "starting";
    delete machine.isUnstarted;
    delete machine.endsAt;
    if (kind !== "crash" && kind !== "never") machine.readyAt = this.now + 100;
    if (kind === "dies" || kind === "done") machine.endsAt = this.now + 100 + Number(ms);
    if (kind === "crash") machine.endsAt = this.now + 50;
  }

  private async waitReady(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const until = this.now + timeoutMs;
    for (;;) {
      const machine = this.find(id);
      if (machine === undefined || machine.state === "exited") throw failed("EXITED", machine);
      if (machine.state === "ready") return;
      if (this.now >= until) throw failed("START_TIMEOUT", machine);
      await this.clock.sleep(50, signal);
    }
  }

  private async outlive(id: string, ms: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const machine = this.find(id);
      if (machine?.state === "stopped")
        throw new CtrlPlaneError("UNAVAILABLE", `${machine.id} was stopped from outside`);
      if (machine?.state !== "ready") throw failed("EXITED", machine);
      if (this.now - (machine.readyAt ?? this.now) >= ms) return;
      await this.clock.sleep(50, signal);
    }
  }

  private route(set: RoutedSet | undefined): void {
    if (set !== undefined && set.release.spec.ports[0]?.hostPort === this.takenPort) throw failed("PORT_IN_USE");
    const sum = Object.values(set?.targets ?? {}).reduce((total, each) => total + each, 0);
    assert.ok(set === undefined || Math.abs(sum - 100) < 1e-9, `shares add up to ${sum}`);
    this.set = set;
  }

  private passTo(now: number): void {
    this.now = now;
    for (const machine of this.machines) {
      if (machine.state === "starting" && machine.readyAt !== undefined && machine.readyAt <= now)
        machine.state = "ready";
      if (machine.endsAt !== undefined && machine.endsAt <= now) this.end(machine.id, "exited");
    }
  }

  private end(id: string, state: "stopped" | "exited"): void {
    const machine = this.find(id);
    if (machine === undefined) return;
    machine.state = state;
    delete machine.readyAt;
    delete machine.endsAt;
  }

  private observed(machine: Machine): Replica {
    const { image: _image, readyAt, endsAt: _endsAt, configuredBy: _configuredBy, ...replica } = machine;
    const isReady = machine.state === "ready" && readyAt !== undefined;
    return { ...replica, routed: this.isRouted(machine), ...(isReady ? { readyForMs: this.now - readyAt } : {}) };
  }

  private isRouted(machine: Machine): boolean {
    return machine.id in (this.set?.targets ?? {});
  }

  private find(id: string): Machine | undefined {
    return this.machines.find((each) => each.id === id);
  }

  private names(set: RoutedSet | undefined): string {
    const ids = Object.keys(set?.targets ?? {});
    return ids.map((id) => `${this.find(id)?.image}-${this.find(id)?.ordinal}`).join(",");
  }
}

function failed(verdict: "EXITED" | "START_TIMEOUT" | "PORT_IN_USE", machine?: Machine): CtrlPlaneError {
  const failure = { verdict, ...(machine === undefined ? {} : { replica: machine.name }), logTail: ["bye"] };
  return new CtrlPlaneError("FAILED", `failed: ${verdict}`, { failure });
}
