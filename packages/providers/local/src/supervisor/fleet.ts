import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CtrlPlaneError, type Sealer } from "@ctrlplane/core/provider";
import type { ControlGroups } from "../cgroup/control-groups.ts";
import { layout, replicaFiles } from "../layout.ts";
import { inheritedEnvironment } from "../process/environment.ts";
import { flushToDisk, writeJsonFile } from "../process/json-file.ts";
import { PortClaims } from "../process/port-claims.ts";
import { freePort, isPortFree } from "../process/ports.ts";
import { removeTree } from "../process/remove-tree.ts";
import { makeWorkFolder } from "../process/work-folder.ts";
import { archiveReplica, emptyTrash, removeUnfinished } from "./archive.ts";
import { loadEnvironment, storeEnvironment } from "./environment-store.ts";
import { LogKeeper, logTickMs } from "./log-keeper.ts";
import type { CreateReplica } from "./operations.ts";
import { readReplicas } from "./read.ts";
import type { ReplicaPort, ReplicaRecord } from "./records.ts";
import { SupervisedReplica, type ReplicaHost } from "./replica.ts";
import { pause } from "./timing.ts";
import { Turns } from "./turns.ts";
import { log } from "../process/log.ts";

/** How long a port may stay taken by what is just ending before a replica gets another one. */
const portPatienceMs = 500;

export interface FleetOptions {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sealer: Sealer;
  readonly groups: ControlGroups;
  /** Readiness, ports or life of a replica changed. */
  readonly changed: (replica: SupervisedReplica) => void;
}

/** All replicas of a data folder. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #replicas = new Map<string, SupervisedReplica>();
  readonly #logs = new Map<string, LogKeeper>();
  readonly #turns = new Turns();
  readonly #claims = new PortClaims();
  readonly #host: ReplicaHost;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#host = {
      environment: (record) => this.#environment(record),
      ensurePorts: (record) => this.#ensurePorts(record),
      enterGroups: (record) => options.groups.enter(record.id, record.limits),
      ranOutOfMemory: (record) => options.groups.ranOutOfMemory(record.id),
      endLeftovers: (record) => {
        options.groups.killAll(record.id);
        // The next run makes them again.
        options.groups.remove(record.id);
      },
      markRun: (files, run) => this.#log(files.folder).markRun(run),
      changed: options.changed,
    };
  }

  /** Takes over the folder: what runs is watched, what should run is started, what was half done is finished. */
  async adopt(): Promise<void> {
    const { dir } = this.#options;
    await removeUnfinished(dir);
    for (const { record } of readReplicas(dir)) this.#add(record);
    await Promise.all(this.all().map((replica) => replica.adopt()));
    void this.#sweep();
    this.#timer = setInterval(() => this.#tick(), logTickMs);
  }

  all(): readonly SupervisedReplica[] {
    return [...this.#replicas.values()];
  }

  find(id: string): SupervisedReplica | undefined {
    return this.#replicas.get(id);
  }

  /** Throws `NOT_FOUND`. */
  get(id: string): SupervisedReplica {
    const found = this.#replicas.get(id);
    if (found === undefined) throw new CtrlPlaneError("NOT_FOUND", `there is no replica ${id}`, { target: id });
    return found;
  }

  async create(request: CreateReplica): Promise<void> {
    const { id } = request.replica;
    await this.inTurn(id, async () => {
      if (this.#replicas.has(id)) return;
      const files = replicaFiles(join(layout(this.#options.dir).replicas, id));
      await removeTree(files.folder);
      mkdirSync(files.folder, { mode: 0o700 });
      const tree = request.workFrom?.tree;
      await makeWorkFolder({ work: files.work, links: request.links, ...(tree === undefined ? {} : { tree }) });
      storeEnvironment(files, id, request.env, this.#options.sealer);
      const record: ReplicaRecord = {
        ...request.replica,
        cwd: files.work,
        ports: await this.#choosePorts(request.replica.ports),
        desired: "created",
        createdAt: new Date().toISOString(),
      };
      try {
        // Last: with its record the replica exists.
        writeJsonFile(files.record, record);
        await flushToDisk(files.record);
      } catch (error) {
        this.#releasePorts(record);
        throw error;
      }
      this.#add(record);
    });
  }

  /** Gone from the list; logs and records are in the archive. Throws `CONFLICT` where it runs. */
  async remove(id: string): Promise<void> {
    await this.inTurn(id, async () => {
      const replica = this.#replicas.get(id);
      if (replica === undefined) return;
      await replica.written();
      if (replica.isKept) throw new CtrlPlaneError("CONFLICT", `${id} runs; stop it first`, { target: id });
      this.#logs.get(replica.files.folder)?.tick();
      archiveReplica(this.#options.dir, id);
      this.#replicas.delete(id);
      this.#releasePorts(replica.record);
      this.#logs.delete(replica.files.folder);
      this.#options.groups.remove(id);
      this.#options.changed(replica);
    });
    void this.#sweep();
  }

  /** Changes of one replica follow each other. */
  inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(id, work);
  }

  /** Watches no longer. What runs lives on. */
  release(): void {
    clearInterval(this.#timer);
    this.#tick();
  }

  #add(record: ReplicaRecord): void {
    const folder = join(layout(this.#options.dir).replicas, record.id);
    this.#replicas.set(record.id, new SupervisedReplica(folder, record, this.#host));
  }

  #environment(record: ReplicaRecord): Readonly<Record<string, string>> {
    const files = replicaFiles(join(layout(this.#options.dir).replicas, record.id));
    return replicaEnvironment(record, loadEnvironment(files, record.id, this.#options.sealer), this.#options.env);
  }

  async #choosePorts(wanted: CreateReplica["replica"]["ports"]): Promise<readonly ReplicaPort[]> {
    const ports: ReplicaPort[] = [];
    for (const [index, { containerPort, protocol }] of wanted.entries()) {
      const port = await this.#freePort();
      ports.push({ containerPort, protocol, port, env: index === 0 ? "PORT" : `PORT_${containerPort}` });
    }
    return ports;
  }

  async #ensurePorts(record: ReplicaRecord): Promise<ReplicaRecord> {
    const taken = new Set<number>();
    for (const { port } of record.ports)
      if (!(await this.#claims.hold(port)) || !(await staysFree(port))) taken.add(port);
    if (taken.size === 0) return record;
    const ports: ReplicaPort[] = [];
    for (const each of record.ports)
      ports.push(taken.has(each.port) ? { ...each, port: await this.#freePort() } : each);
    for (const port of taken) this.#claims.release(port);
    return { ...record, ports };
  }

  async #freePort(): Promise<number> {
    const others = new Set<number>();
    for (;;) {
      const recorded = this.all().flatMap((each) => each.record.ports.map(({ port }) => port));
      const port = await freePort(new Set([...this.#claims.ports, ...recorded, ...others]));
      if (await this.#claims.claim(port)) return port;
      // Another creation, or another supervisor, chose it while this one looked.
      others.add(port);
    }
  }

  #releasePorts({ ports }: Pick<ReplicaRecord, "ports">): void {
    for (const { port } of ports) this.#claims.release(port);
  }

  #log(folder: string): LogKeeper {
    const known = this.#logs.get(folder) ?? new LogKeeper(replicaFiles(folder));
    this.#logs.set(folder, known);
    return known;
  }

  #tick(): void {
    for (const replica of this.#replicas.values()) if (replica.isKept) this.#log(replica.files.folder).tick();
  }

  #sweeping: Promise<void> | undefined;

  /** In the background: a removal does not wait for the deletion of a large folder. */
  async #sweep(): Promise<void> {
    if (this.#sweeping !== undefined) return;
    this.#sweeping = emptyTrash(this.#options.dir);
    try {
      await this.#sweeping;
    } catch (error) {
      log("removed replicas could not be deleted yet:", error);
    } finally {
      this.#sweeping = undefined;
    }
  }
}

/** The whole environment of a replica: inherited names, what the user set, ports. */
export function replicaEnvironment(
  record: ReplicaRecord,
  own: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const ports = Object.fromEntries(record.ports.map(({ env, port }) => [env, String(port)]));
  return { ...inheritedEnvironment(inherited), ...own, ...ports };
}

async function staysFree(port: number): Promise<boolean> {
  const until = Date.now() + portPatienceMs;
  while (!(await isPortFree(port))) {
    if (Date.now() >= until) return false;
    await pause(50);
  }
  return true;
}
