import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { Balancer } from "./balancer.ts";
import { portKey, problemsOf } from "./check-table.ts";
import type { DrainResult, GatewayStats } from "./client.ts";
import { openEntrance, transportOf, type OpenEntrance } from "./entrance.ts";
import { EntranceRoutes } from "./entrance-routes.ts";
import { portError } from "./port-error.ts";
import type { Backend, Entrance, RouteTable, Target } from "./routes.ts";
import { InstanceTraffic, type TrafficCounts } from "./traffic.ts";
import { Upstream } from "./upstream.ts";

/** The open ports, the table that they follow, and the replicas behind them. */
export class Gateway {
  #table: RouteTable = { version: 0, entrances: [] };
  #open = new Map<string, OpenEntrance>();
  readonly #upstreams = new Map<string, Upstream>();
  /** By instance; of those that the table names. */
  readonly #traffic = new Map<string, InstanceTraffic>();
  #applying: Promise<unknown> = Promise.resolve();
  readonly #startedAt = performance.now();

  get version(): number {
    return this.#table.version;
  }

  /** As `GatewayClient.apply`. Tables are applied one after another. */
  apply(table: RouteTable): Promise<void> {
    const result = this.#applying.then(() => this.#apply(table));
    this.#applying = result.catch(() => undefined); // told to the caller of this one; the next does not depend on it
    return result;
  }

  /**
   * Serves what can be served of a table: entrances whose port cannot be opened are left out and returned. For the start, when
   * nobody is there to be told and every open port counts.
   */
  async applyWhatOpens(table: RouteTable): Promise<readonly CtrlPlaneError[]> {
    const errors: CtrlPlaneError[] = [];
    for (let left = table; ;) {
      try {
        await this.apply(left);
        return errors;
      } catch (error) {
        if (!isCtrlPlaneError(error) || !left.entrances.some((each) => each.id === error.target)) throw error;
        errors.push(error);
        left = { ...left, entrances: left.entrances.filter((each) => each.id !== error.target) };
      }
    }
  }

  async #apply(table: RouteTable): Promise<void> {
    const problems = problemsOf(table);
    if (problems.length > 0) throw new CtrlPlaneError("INVALID", `routes: ${problems.join("; ")}`);
    if (table.version < this.#table.version) {
      throw new CtrlPlaneError(
        "CONFLICT",
        `routes of version ${table.version} are older than those in force, ${this.#table.version}`,
      );
    }
    const opened = await this.#openPorts(table);
    // From here on nothing waits: one table is followed by the next between two requests.
    const previous = this.#open;
    this.#open = opened;
    this.#table = table;
    const routed = new Set<Upstream>();
    for (const entrance of table.entrances)
      opened.get(portKey(entrance))?.serve(entrance, this.#routes(entrance, routed));
    for (const [key, entrance] of previous) if (opened.get(key) !== entrance) entrance.close();
    const named = new Set(table.entrances.flatMap(instancesOf));
    for (const instance of this.#traffic.keys()) if (!named.has(instance)) this.#traffic.delete(instance);
    for (const [key, upstream] of this.#upstreams) {
      upstream.setRouted(routed.has(upstream));
      if (!upstream.isRouted && upstream.inFlight === 0) this.#upstreams.delete(key);
    }
  }

  /** Ports of the table, those that stay as they are. Where one fails, what was opened closes, what was closed for it opens again. */
  async #openPorts(table: RouteTable): Promise<Map<string, OpenEntrance>> {
    const opened = new Map<string, OpenEntrance>();
    const wanted = new Map(table.entrances.map((each) => [portKey(each), each]));
    const missing = [...wanted].filter(([key]) => !this.#open.has(key));
    // A port that moves to another address of the machine can only be opened when the old one is closed.
    const inTheWay = this.#table.entrances.filter(
      (each) =>
        !wanted.has(portKey(each)) &&
        missing.some(([, entrance]) => entrance.port === each.port && transportOf(entrance) === transportOf(each)),
    );
    for (const each of inTheWay) this.#open.get(portKey(each))?.close();
    const outcomes = await Promise.allSettled(
      missing.map(async ([key, entrance]) => opened.set(key, await openEntrance(entrance))),
    );
    const failedAt = outcomes.findIndex((each) => each.status === "rejected");
    const failure = outcomes[failedAt];
    const failedEntrance = missing[failedAt]?.[1];
    if (failure?.status === "rejected" && failedEntrance !== undefined) {
      for (const entrance of opened.values()) entrance.close();
      for (const each of inTheWay) await this.#reopen(each);
      throw portError(failedEntrance, failure.reason);
    }
    for (const key of wanted.keys()) {
      const kept = this.#open.get(key);
      if (kept !== undefined) opened.set(key, kept);
    }
    return opened;
  }

  async #reopen(entrance: Entrance): Promise<void> {
    const reopened = await openEntrance(entrance);
    reopened.serve(entrance, this.#routes(entrance, new Set()));
    this.#open.set(portKey(entrance), reopened);
  }

  #routes(entrance: Entrance, routed: Set<Upstream>): EntranceRoutes {
    const balancer = (backend: Backend): Balancer =>
      new Balancer(backend, (target) => this.#upstream(target, routed), this.#trafficOf(backend.instance));
    return new EntranceRoutes(
      entrance.backend === undefined ? undefined : balancer(entrance.backend),
      (entrance.domains ?? []).map(({ host, path, backend }) => ({ host, path, balancer: balancer(backend) })),
    );
  }

  #trafficOf(instance: string): InstanceTraffic {
    const traffic = this.#traffic.get(instance) ?? new InstanceTraffic();
    this.#traffic.set(instance, traffic);
    return traffic;
  }

  /** Undefined where no table names the instance. */
  traffic(instance: string): TrafficCounts | undefined {
    return this.#traffic.get(instance)?.counts();
  }

  #upstream(target: Target, routed: Set<Upstream>): Upstream {
    const key = `${target.replicaId} ${target.host} ${target.port}`;
    const upstream = this.#upstreams.get(key) ?? new Upstream(target);
    this.#upstreams.set(key, upstream);
    routed.add(upstream);
    return upstream;
  }

  /** As `GatewayClient.drain`. `signal`: the caller went away, then nothing is cut. */
  async drain(replicaId: string, timeoutMs: number, signal: AbortSignal): Promise<DrainResult> {
    const found = [...this.#upstreams].filter(([, each]) => each.replicaId === replicaId);
    if (found.some(([, each]) => each.isRouted)) {
      throw new CtrlPlaneError("CONFLICT", `${replicaId} is still routed`, { target: replicaId });
    }
    const left = (await Promise.all(found.map(([, each]) => each.idle(timeoutMs, signal)))).flat();
    if (signal.aborted) return { cut: 0 };
    for (const work of left) work.cut();
    for (const [key, upstream] of found) if (!upstream.isRouted) this.#upstreams.delete(key);
    return { cut: left.length };
  }

  stats(): GatewayStats {
    return {
      pid: process.pid,
      version: this.#table.version,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      entrances: [...this.#open.values()].map((each) => each.stats()),
      replicas: [...this.#upstreams.values()].map((each) => each.stats()),
    };
  }

  /** Ports close at once; resolves when nothing is in flight, or at the time limit. */
  async close(timeoutMs: number): Promise<void> {
    for (const entrance of this.#open.values()) entrance.close();
    const never = new AbortController().signal;
    await Promise.all([...this.#upstreams.values()].map((each) => each.idle(timeoutMs, never)));
  }
}

function instancesOf({ backend, domains = [] }: Entrance): string[] {
  return [...(backend === undefined ? [] : [backend]), ...domains.map((each) => each.backend)].map(
    ({ instance }) => instance,
  );
}
