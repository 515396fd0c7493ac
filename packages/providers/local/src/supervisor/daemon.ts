import { rmSync } from "node:fs";
import { controlGroups } from "../cgroup/control-groups.ts";
import { daemonFile, daemonLog, folderHash, layout, socketPath } from "../layout.ts";
import { rotateDaemonLog } from "../process/daemon-log.ts";
import { identify } from "../process/identity.ts";
import { writeJsonFile } from "../process/json-file.ts";
import type { DaemonLock } from "../process/lock.ts";
import { serveJson, type JsonServer } from "../protocol/server.ts";
import { Epochs } from "./epochs.ts";
import { folderSealer } from "./environment-store.ts";
import { Fleet } from "./fleet.ts";
import { gatewayLink } from "./gateway-process.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { handlers } from "./handlers.ts";
import type { SupervisorStatus } from "./operations.ts";
import { Routing } from "./routing.ts";
import { codeVersion } from "./version.ts";
import { log } from "../process/log.ts";
import { fleetRuns } from "../schedule/runs.ts";
import { Schedules } from "../schedule/schedules.ts";

/** How long a supervisor without anything to look after stays. */
const defaultIdleMs = 60_000;
const longestIdleTickMs = 5000;
const logTickMs = 30_000;

export interface DaemonOptions {
  /** How long it stays without anything to look after. Default 60 s. */
  readonly idleMs?: number | undefined;
}

/** The supervisor of one data folder, in the process that holds its lock. */
export class Daemon {
  readonly #dir: string;
  readonly #lock: DaemonLock;
  readonly #idleMs: number;
  readonly #startedAt = new Date().toISOString();
  readonly #version = codeVersion();
  readonly #gateway: GatewayLink;
  readonly #fleet: Fleet;
  #routing: Routing | undefined;
  #schedules: Schedules | undefined;
  #server: JsonServer | undefined;
  #refreshing = false;
  #usedAt = performance.now();

  constructor(dir: string, lock: DaemonLock, { idleMs = defaultIdleMs }: DaemonOptions = {}) {
    this.#idleMs = idleMs;
    this.#dir = dir;
    this.#lock = lock;
    this.#gateway = gatewayLink(dir, this.#version);
    this.#fleet = new Fleet({
      dir,
      env: process.env,
      sealer: folderSealer(dir),
      groups: controlGroups(`pctl-${folderHash(dir)}`),
      changed: ({ record }) => {
        if (this.#routing?.routes(record) === true) this.#refreshSoon();
      },
    });
  }

  /** Adopts what runs, then answers. */
  async start(): Promise<void> {
    await this.#fleet.adopt();
    // Only now: before its replicas are known to live, nothing of them would be routed.
    const routing = new Routing(this.#dir, this.#gateway, (id) => this.#fleet.find(id));
    this.#routing = routing;
    const schedules = new Schedules({
      dir: this.#dir,
      runs: fleetRuns(this.#fleet),
      isWanted: (name) => routing.instance(name)?.stopped === false,
      sealer: folderSealer(this.#dir),
    });
    this.#schedules = schedules;
    await schedules.adopt();
    const operations = handlers({
      fleet: this.#fleet,
      routing,
      schedules,
      gateway: this.#gateway,
      epochs: new Epochs(layout(this.#dir).epochs),
      status: () => this.#status(),
      // After the answer is out.
      leave: () => void setImmediate(() => void this.leave()),
    });
    this.#server = await serveJson(socketPath(this.#dir, "supervisor"), operations);
    const record = { ...identify(process.pid), startedAt: this.#startedAt, version: this.#version };
    writeJsonFile(daemonFile(this.#dir, "supervisor"), record);
    this.#lock.announce();
    this.#refreshSoon();
    setInterval(() => this.#endWhenIdle(), Math.min(longestIdleTickMs, this.#idleMs / 4));
    this.#rotateLogs();
    setInterval(() => this.#rotateLogs(), logTickMs);
  }

  /** Ends this process. Replicas and gateway live on. */
  async leave(): Promise<void> {
    await this.#schedules?.release();
    this.#fleet.release();
    this.#gateway.release();
    await this.#server?.close();
    rmSync(daemonFile(this.#dir, "supervisor"), { force: true });
    rmSync(socketPath(this.#dir, "supervisor"), { force: true });
    await this.#lock.release();
    process.exit(0);
  }

  #status(): SupervisorStatus {
    const all = this.#fleet.all();
    const gateway = this.#gateway.process();
    return {
      pid: process.pid,
      version: this.#version,
      startedAt: this.#startedAt,
      replicas: { total: all.length, running: all.filter((each) => each.live !== undefined).length },
      ...(gateway === undefined ? {} : { gatewayPid: gateway.pid }),
    };
  }

  /** Many changes at once are told once. */
  #refreshSoon(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    queueMicrotask(() => {
      this.#refreshing = false;
      this.#routing?.refresh().catch((error: unknown) => {
        log("the gateway could not be told:", error);
      });
    });
  }

  #rotateLogs(): void {
    for (const daemon of ["supervisor", "gateway"] as const) rotateDaemonLog(daemonLog(this.#dir, daemon));
  }

  #endWhenIdle(): void {
    const isUsed =
      this.#fleet.all().some((each) => each.isKept) ||
      this.#routing?.hasListeners === true ||
      this.#schedules?.isUsed === true ||
      (this.#server?.openCalls() ?? 0) > 0;
    if (isUsed) this.#usedAt = performance.now();
    else if (performance.now() - this.#usedAt >= this.#idleMs) void this.#gateway.stop().then(() => this.leave());
  }
}
