import { setTimeout as sleep } from "node:timers/promises";
import {
  CtrlPlaneError,
  errorCodes,
  type ErrorCode,
  type Ledger,
  type Provider,
  type StateStore,
} from "@ctrlplane/core";
import type { ReplicaDriver } from "@ctrlplane/core/provider";

/** What happens to one call. */
export type FaultKind =
  | "kill-before"
  | "kill-after"
  /** It happened, and nobody learns of it. */
  | "lost-reply"
  | "delayed"
  /** It happens twice, and the second answer is the one that comes. */
  | "doubled"
  /** The process is frozen before it, until it is thawed from outside. */
  | "frozen"
  /** From it on, the clock is an hour back. */
  | "clock-back"
  /** Nothing happens, and this is the answer. */
  | `error-${ErrorCode}`
  /** Before it, a part of the platform is killed; the engine goes on. */
  | `death-of-${string}`;

/** All that strikes the engine. */
export const faultKinds: readonly FaultKind[] = [
  "kill-before",
  "kill-after",
  "lost-reply",
  "delayed",
  "doubled",
  "frozen",
  "clock-back",
  ...errorCodes.map((code) => `error-${code}` as const),
];

/** A call by its name and its count: `ledger.swap#3` is the third of its name, and `#17` the seventeenth of all. */
export interface Fault {
  readonly point: string;
  readonly kind: FaultKind;
}

/** What a fault needs of the world around the engine. */
export interface Outside {
  tellFrozen?(): Promise<void>;
  /** A part of the platform dies. */
  kill?(who: string): void;
}

/** Where every call passes: counts them, and does to one of them what the fault says. */
export class Tap {
  /** Points in the order in which they were met. */
  readonly points: string[] = [];
  /** What a clock is to add. */
  clockOffsetMs = 0;
  readonly #counts = new Map<string, number>();
  readonly #fault: Fault | undefined;
  readonly #outside: Outside;
  #isStruck = false;

  constructor(fault?: Fault, outside: Outside = {}) {
    this.#fault = fault;
    this.#outside = outside;
  }

  /** The call that the fault is for was met. */
  get isStruck(): boolean {
    return this.#isStruck;
  }

  async pass<T>(name: string, perform: () => Promise<T>): Promise<T> {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const point = `${name}#${count}`;
    this.points.push(point);
    if (this.#fault === undefined || ![point, `#${this.points.length}`].includes(this.#fault.point)) return perform();
    this.#isStruck = true;
    return this.#strike(this.#fault.kind, name, perform);
  }

  async #strike<T>(kind: FaultKind, name: string, perform: () => Promise<T>): Promise<T> {
    switch (kind) {
      case "kill-before":
        return die();
      case "kill-after":
        await perform();
        return die();
      case "lost-reply":
        await perform();
        throw new CtrlPlaneError("UNAVAILABLE", `the answer to ${name} was lost by order`, { retryable: true });
      case "delayed":
        await sleep(100);
        return perform();
      case "doubled":
        await perform();
        return perform();
      case "frozen":
        await this.#outside.tellFrozen?.();
        process.kill(process.pid, "SIGSTOP");
        return perform();
      case "clock-back":
        this.clockOffsetMs = -3_600_000;
        return perform();
      default:
        if (kind.startsWith("death-of-")) {
          this.#outside.kill?.(kind.slice("death-of-".length));
          return perform();
        }
        // What is left of the union are errors, by their code.
        throw new CtrlPlaneError(kind.slice("error-".length) as ErrorCode, `${name} failed by order`);
    }
  }
}

/** As `kill -9` by another: nothing of this process runs any more. */
function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("not reached");
}

/** `object` with some of its methods, all of which give a promise, led through the tap as `layer.method`. */
export function tapped<T extends object>(
  object: T,
  layer: string,
  methods: readonly (keyof T & string)[],
  tap: Tap,
): T {
  const over: Partial<T> = {};
  for (const method of methods) {
    const own = object[method];
    if (typeof own !== "function") continue;
    // Arguments and answer pass as they are: of the method's own types.
    const through = (...args: unknown[]): Promise<unknown> =>
      tap.pass(`${layer}.${method}`, () => Promise.resolve(own.apply(object, args)));
    over[method] = through as T[typeof method];
  }
  return { ...object, ...over };
}

const providerCalls = [
  "info",
  "health",
  "identifyImage",
  "buildImage",
  "provision",
  "deprovision",
  "deploy",
  "advance",
  "rollback",
  "scale",
  "start",
  "stop",
  "restart",
  "status",
  "list",
  "run",
] as const satisfies readonly (keyof Provider)[];
const ledgerCalls = ["create", "read", "list", "swap", "remove"] as const satisfies readonly (keyof Ledger)[];
const storeCalls = ["read", "write", "setAside", "list"] as const satisfies readonly (keyof StateStore)[];

export function tapProvider(provider: Provider, tap: Tap): Provider {
  const { ledger } = provider;
  const through = tapped(provider, "provider", providerCalls, tap);
  return ledger === undefined ? through : { ...through, ledger: tapped(ledger, "ledger", ledgerCalls, tap) };
}

export function tapStore(store: StateStore, tap: Tap): StateStore {
  return tapped(store, "store", storeCalls, tap);
}

const driverCalls = [
  "list",
  "instance",
  "create",
  "start",
  "waitReady",
  "waitEnd",
  "route",
  "routed",
  "drain",
  "stop",
  "remove",
  "configure",
  "settle",
  "markStopped",
] as const satisfies readonly (keyof ReplicaDriver)[];
/** How long a replica has to live once it is routed: five seconds would be most of the time of each fault. */
const outliveMs = 200;

/** Calls of a machine's driver as `driver.NAME`. */
export function tapDriver(driver: ReplicaDriver, tap: Tap): ReplicaDriver {
  return {
    ...tapped(driver, "driver", driverCalls, tap),
    outlive: (replica, _, context) => tap.pass("driver.outlive", () => driver.outlive(replica, outliveMs, context)),
  };
}
