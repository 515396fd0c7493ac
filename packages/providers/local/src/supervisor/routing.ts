import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { layout, instanceFile } from "../layout.ts";
import type { RouteTable, Target } from "../gateway/routes.ts";
import { flushToDisk, readJsonFile, replaceJsonFile } from "../process/json-file.ts";
import { entrancesOf } from "./entrances.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { requireFreePorts } from "../route-conflicts.ts";
import { readInstances } from "./read.ts";
import type { InstanceRecord, ReplicaRecord, RouteSet } from "./records.ts";
import type { SupervisedReplica } from "./replica.ts";
import { Turns } from "./turns.ts";

/** Instances, and what the gateway is told of them. */
export class Routing {
  readonly #dir: string;
  readonly #gateway: GatewayLink;
  readonly #replica: (id: string) => SupervisedReplica | undefined;
  readonly #instances: Map<string, InstanceRecord>;
  #table: RouteTable;
  /** The gateway has the table. Not so after a start: the supervisor before may have died between writing it and telling it. */
  #isTold = false;
  /** Changes of one instance's record follow each other. */
  readonly #records = new Turns();
  readonly #publishing = new Turns();

  constructor(dir: string, gateway: GatewayLink, replica: (id: string) => SupervisedReplica | undefined) {
    this.#dir = dir;
    this.#gateway = gateway;
    this.#replica = replica;
    this.#instances = new Map(readInstances(dir).map((each) => [each.name, each]));
    this.#table = readJsonFile<RouteTable>(layout(dir).routes) ?? { version: 0, entrances: [] };
  }

  instance(name: string): InstanceRecord | undefined {
    return this.#instances.get(name);
  }

  /** The replica is one of those that its instance routes to. */
  routes({ id, instance }: Pick<ReplicaRecord, "id" | "instance">): boolean {
    return Object.hasOwn(this.#instances.get(instance)?.route?.targets ?? {}, id);
  }

  get hasListeners(): boolean {
    return this.#table.entrances.length > 0;
  }

  /** `change` makes the record of what is known, and `undefined` leaves that. Returns when it is safe from a loss of power. */
  async record(name: string, change: (known: InstanceRecord | undefined) => InstanceRecord | undefined): Promise<void> {
    await this.#records.take(name, async () => {
      const known = this.#instances.get(name);
      const record = change(known);
      if (record === undefined || isDeepStrictEqual(record, known)) return;
      await this.#write(record);
      await flushToDisk(instanceFile(this.#dir, name));
    });
  }

  /** Changes the file first, while others work on, then what is known here. */
  async #write(record: InstanceRecord): Promise<void> {
    const path = instanceFile(this.#dir, record.name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await replaceJsonFile(path, record);
    this.#instances.set(record.name, record);
  }

  async forget(name: string): Promise<void> {
    await this.#records.take(name, async () => {
      await rm(join(layout(this.#dir).instances, name), { recursive: true, force: true });
      this.#instances.delete(name);
    });
  }

  /** Exactly this is routed when it returns; where the gateway refuses it, what was routed before still is. */
  async route(instance: InstanceRecord, set: RouteSet | undefined): Promise<void> {
    const { name } = instance;
    await this.#inTurn(async () => {
      if (set !== undefined) requireFreePorts(name, set, [...this.#instances.values()]);
      const before = this.#instances.get(name)?.route;
      await this.#writeRoute(instance, set);
      try {
        await this.#publish();
      } catch (error) {
        await this.#writeRoute(instance, before);
        await this.#publish();
        throw error;
      }
    });
  }

  /** After a loss of power nothing of it runs: who rolls out routes it again, and `record` follows. */
  async #writeRoute(instance: InstanceRecord, set: RouteSet | undefined): Promise<void> {
    await this.#records.take(instance.name, async () => {
      const { route: _, ...without } = this.#instances.get(instance.name) ?? instance;
      await this.#write(set === undefined ? without : { ...without, route: set });
    });
  }

  /** The gateway follows what became ready, ended or moved to another port. */
  async refresh(): Promise<void> {
    await this.#inTurn(() => this.#publish());
  }

  async #publish(): Promise<void> {
    const entrances = entrancesOf(this.#instances.values(), (instance, port) => this.#targets(instance, port));
    const isSame = JSON.stringify(entrances) === JSON.stringify(this.#table.entrances);
    const isRunning = await this.#gateway.isRunning();
    if (isSame && (isRunning ? this.#isTold : entrances.length === 0)) return;
    this.#isTold = false;
    this.#table = { version: this.#table.version + 1, entrances };
    await replaceJsonFile(layout(this.#dir).routes, this.#table);
    if (entrances.length > 0 || isRunning) await this.#gateway.apply(this.#table);
    this.#isTold = true;
  }

  /** Those that are ready; where none is, those that live: an answer of theirs may be better than none. */
  #targets({ route }: InstanceRecord, containerPort: number): readonly Target[] {
    const living = Object.entries(route?.targets ?? {}).flatMap(([replicaId, weight]) => {
      const replica = this.#replica(replicaId);
      const port = replica?.record.ports.find((each) => each.containerPort === containerPort)?.port;
      if (replica?.live === undefined || port === undefined) return [];
      const host = replica.state.hosts[containerPort] ?? "127.0.0.1";
      return [{ replicaId, host, port, weight, isReady: replica.state.ready }];
    });
    const ready = living.filter((each) => each.isReady);
    return (ready.length > 0 ? ready : living).map(({ isReady: _, ...target }) => target);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#publishing.take("table", work);
  }
}
