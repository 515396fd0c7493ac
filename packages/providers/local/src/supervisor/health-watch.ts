import type { HealthSpec } from "@ctrlplane/core/provider";
import { loopbacks, openHost, probe, type ProbeResult, type ProbeTarget } from "./probe.ts";
import type { ReplicaRecord, ReplicaState } from "./records.ts";
import { pause } from "./timing.ts";

/** How long a replica without ports and without health has to live to pass its gate. */
export const aliveGateMs = 5000;

/** Probes follow each other quickly while a replica starts, so that readiness is seen when it comes. */
const firstWaitMs = 20;
const longestStartWaitMs = 250;
const connectTimeoutMs = 1000;

/** Where each container port answers. */
type Hosts = Record<string, string>;

/** What is watched: one run of a replica. */
export interface WatchedRun {
  record(): ReplicaRecord;
  state(): ReplicaState;
  env(): Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  becameReady(hosts: ReplicaState["hosts"]): void;
  failedProbe(reason: string): void;
  lostHealth(): void;
  /** Aborts when its policy changes. */
  policyChanged(): AbortSignal;
}

/** Watches one run until `ended` aborts: its gate first, then its health. Policies may change meanwhile. */
export async function watchHealth(run: WatchedRun, ended: AbortSignal): Promise<void> {
  let failures = 0;
  let probes = 0;
  let waitMs = firstWaitMs;
  // No program listens the moment it is started.
  await pause(firstWaitMs, ended);
  while (!ended.aborted) {
    const { health } = run.record().policy;
    const interrupted = AbortSignal.any([ended, run.policyChanged()]);
    if (health === undefined && run.state().ready) {
      await aborted(interrupted);
      continue;
    }
    const hosts: Hosts = {};
    probes += 1;
    // Hardly any program listens on ::1 alone: it is asked every fourth time.
    const asked = probes % 4 === 0 ? loopbacks : loopbacks.slice(0, 1);
    const result = health === undefined ? await portsGate(run, asked, hosts) : await probe(health, targetOf(run));
    if (ended.aborted) return;
    if (result.ok) {
      failures = 0;
      if (!run.state().ready) await enter(run, hosts, ended);
    } else {
      run.failedProbe(result.reason);
      const counts = health !== undefined && (run.state().ready || Date.now() - run.startedAt >= health.graceMs);
      failures = counts ? failures + 1 : 0;
      if (health !== undefined && failures >= health.retries) {
        failures = 0;
        run.lostHealth();
      }
    }
    await pause(nextWait(run, health, failures, waitMs), interrupted);
    waitMs = Math.min(waitMs * 1.3, longestStartWaitMs);
  }
}

/** While it starts: quickly; from the first failure that counts, and once it is ready: at its interval. */
function nextWait(run: WatchedRun, health: HealthSpec | undefined, failures: number, waitMs: number): number {
  if (health === undefined) return waitMs;
  return run.state().ready || failures > 0 ? health.intervalMs : Math.min(waitMs, health.intervalMs);
}

/** `found`: the ports whose host is known already. */
async function enter(run: WatchedRun, found: Hosts, ended: AbortSignal): Promise<void> {
  for (const { port, containerPort, protocol } of run.record().ports) {
    const host = protocol === "udp" ? undefined : (found[containerPort] ?? (await openHost(port, connectTimeoutMs)));
    found[containerPort] = host ?? "127.0.0.1";
  }
  if (!ended.aborted) run.becameReady(found);
}

/** The gate of a replica without health: every TCP port is open; without one, it has lived for 5 s. */
async function portsGate(run: WatchedRun, asked: readonly string[], hosts: Hosts): Promise<ProbeResult> {
  const ports = run.record().ports.filter((port) => port.protocol !== "udp");
  if (ports.length === 0) {
    const livedMs = Date.now() - run.startedAt;
    return livedMs >= aliveGateMs ? { ok: true } : { ok: false, reason: `it has to live for ${aliveGateMs} ms` };
  }
  for (const { port, containerPort } of ports) {
    const host = await openHost(port, connectTimeoutMs, asked);
    if (host === undefined) return { ok: false, reason: `port ${containerPort} (${port} here) is closed` };
    hosts[containerPort] = host;
  }
  return { ok: true };
}

function targetOf(run: WatchedRun): ProbeTarget {
  const { ports, cwd } = run.record();
  return {
    cwd,
    env: () => run.env(),
    portOf: (containerPort) =>
      (containerPort === undefined ? ports[0] : ports.find((port) => port.containerPort === containerPort))?.port,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
