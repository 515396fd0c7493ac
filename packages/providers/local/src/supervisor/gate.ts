import { CtrlPlaneError, type Verdict } from "@ctrlplane/core/provider";
import { sessionMembers } from "../process/group.ts";
import { listeningPorts } from "../process/listening.ts";
import { logTail } from "../process/log-tail.ts";
import { openHost } from "./probe.ts";
import type { ReplicaPort } from "./records.ts";
import type { SupervisedReplica } from "./replica.ts";
import { pause } from "./timing.ts";

/** Lines of log that a failure tells. */
const tailLines = 20;

/** A service that ends this often before its gate is not waited for any longer. */
const failuresOfCrashLoop = 2;

/** A process that has listened on the container port itself for this long does not read `PORT`. */
const wrongPortMs = 5000;

/** Resolves when the replica passed its gate; throws `FAILED` as soon as it cannot, at the latest after `timeoutMs`. */
export async function waitReady(replica: SupervisedReplica, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(timedOut(replica, timeoutMs)), timeoutMs);
  const finished = new AbortController();
  void watchForWrongPort(replica, finished.signal, (error) => over.abort(error));
  try {
    await replica.changes.until(() => isReady(replica), AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
    finished.abort();
  }
}

/** Resolves when the replica has been ready for `ms` without a break; throws `FAILED` as soon as it is not. */
export async function outlive(replica: SupervisedReplica, ms: number, signal: AbortSignal): Promise<void> {
  const { run } = replica.state;
  for (;;) {
    if (!replica.state.ready || replica.state.run !== run) throw lostReadiness(replica, run);
    const leftMs = (replica.state.readySince ?? Date.now()) + ms - Date.now();
    if (leftMs <= 0) return;
    const time = AbortSignal.timeout(leftMs);
    try {
      await replica.changes.until(
        () => !replica.state.ready || replica.state.run !== run,
        AbortSignal.any([signal, time]),
      );
    } catch (error) {
      if (signal.aborted || !time.aborted) throw error;
    }
  }
}

/** The failure of a start that could not even begin; undefined where it did. */
export function startFailure(replica: SupervisedReplica): CtrlPlaneError | undefined {
  const end = replica.state.lastEnd;
  if (end?.error === undefined || end.run !== replica.state.run) return undefined;
  if (end.error.code === "SHIM")
    return new CtrlPlaneError("INTERNAL", end.error.message, { target: replica.record.id });
  const file = replica.record.command[0] ?? "";
  return failed(replica, "COMMAND_NOT_FOUND", commandProblem(file, end.error.code), {
    hint: file.includes("/")
      ? "Check that the file is in the image, and that its mode lets it be executed (chmod +x)."
      : "Check the spelling, and that the program is in the PATH of whoever started the supervisor.",
  });
}

function commandProblem(file: string, code: string): string {
  if (code === "EACCES") return `${file} may not be executed`;
  if (code === "ENOENT") return `${file} was not found`;
  return `${file} could not be started (${code})`;
}

function isReady(replica: SupervisedReplica): boolean {
  if (replica.state.ready) return true;
  const unstarted = startFailure(replica);
  if (unstarted !== undefined) throw unstarted;
  const { record, state } = replica;
  if (record.desired === "stopped") throw new CtrlPlaneError("CONFLICT", `${record.name} was stopped meanwhile`);
  const mostFailures = record.policy.restart === "never" ? 1 : failuresOfCrashLoop;
  if (state.failedStarts >= mostFailures) throw endedTooSoon(replica);
  // One that was ready in this run and lost its health is just being started again.
  if (state.unhealthy && state.readySince === undefined && replica.live !== undefined) {
    throw failed(replica, "UNHEALTHY", `its health check failed: ${replica.problem ?? "no answer"}`);
  }
  return false;
}

function endedTooSoon(replica: SupervisedReplica): CtrlPlaneError {
  const end = replica.state.lastEnd;
  if (end?.oom === true) return outOfMemory(replica);
  const isLoop = replica.state.failedStarts >= failuresOfCrashLoop && end?.code !== 0;
  return failed(replica, isLoop ? "CRASH_LOOP" : "EXITED", `ended before ${gateName(replica)}`);
}

export function outOfMemory(replica: SupervisedReplica): CtrlPlaneError {
  const memory = replica.record.limits.memoryMb;
  return failed(replica, "OOM", `ran out of memory${memory === undefined ? "" : ` (limit ${memory} MiB)`}`, {
    hint: "Raise scale.memory.",
  });
}

function lostReadiness(replica: SupervisedReplica, run: number): CtrlPlaneError {
  if (replica.state.unhealthy) {
    return failed(replica, "UNHEALTHY", `lost its health: ${replica.problem ?? "no answer"}`);
  }
  const end = replica.state.lastEnd;
  if (end?.run !== run && replica.live !== undefined) return failed(replica, "START_TIMEOUT", "is not ready");
  return failed(replica, end?.oom === true ? "OOM" : "EXITED", "ended after it had become ready");
}

function timedOut(replica: SupervisedReplica, timeoutMs: number): CtrlPlaneError {
  const { health } = replica.record.policy;
  const within = `within ${Math.round(timeoutMs / 100) / 10} s`;
  const closed = replica.record.ports.find(() => replica.problem?.includes("is closed"));
  if (replica.live === undefined) return endedTooSoon(replica);
  if (closed !== undefined) return portClosed(replica, `port ${closed.containerPort} did not open ${within}`);
  if (health !== undefined)
    return failed(replica, "UNHEALTHY", `not healthy ${within}: ${replica.problem ?? "no answer"}`);
  return failed(replica, "START_TIMEOUT", `was not ready ${within}`);
}

function portClosed(replica: SupervisedReplica, message: string): CtrlPlaneError {
  const hint = listeningHint(replica);
  return failed(replica, "PORT_CLOSED", message, hint === undefined ? {} : { hint });
}

/** e.g. `listens on 3000, expected $PORT (41873)`. */
function listeningHint(replica: SupervisedReplica): string | undefined {
  const wanted = replica.record.ports[0];
  const found = listeningPortsOf(replica).filter((port) => replica.record.ports.every((each) => each.port !== port));
  if (wanted === undefined) return undefined;
  const expected = `expected $${wanted.env} (${wanted.port})`;
  return found.length === 0 ? `listens on no port, ${expected}` : `listens on ${found.join(", ")}, ${expected}`;
}

function listeningPortsOf(replica: SupervisedReplica): readonly number[] {
  const pid = replica.live?.process?.pid;
  return pid === undefined ? [] : listeningPorts(sessionMembers(pid));
}

/** Judges early what will not change: the process listens on the port that the declaration names, instead of `PORT`. */
async function watchForWrongPort(
  replica: SupervisedReplica,
  finished: AbortSignal,
  judge: (error: CtrlPlaneError) => void,
): Promise<void> {
  let since: { readonly run: number; readonly at: number } | undefined;
  while (!finished.aborted) {
    await pause(1000, finished);
    const { run } = replica.state;
    const wrong = await wrongPort(replica);
    if (wrong === undefined || finished.aborted) since = undefined;
    else if (since?.run !== run) since = { run, at: Date.now() };
    else if (Date.now() - since.at >= wrongPortMs)
      judge(portClosed(replica, `port ${wrong.containerPort} did not open`));
  }
}

/** The container port that the replica listens on itself, while the port that it was given is closed. */
async function wrongPort(replica: SupervisedReplica): Promise<ReplicaPort | undefined> {
  for (const each of replica.record.ports) {
    // First the cheap question: to find out who listens means to look at every process of the machine.
    if (each.protocol === "udp" || (await openHost(each.containerPort, 100)) === undefined) continue;
    const open = listeningPortsOf(replica);
    if (open.includes(each.containerPort) && !open.includes(each.port)) return each;
  }
  return undefined;
}

function gateName(replica: SupervisedReplica): string {
  const { policy, ports } = replica.record;
  if (policy.health !== undefined) return "it was healthy";
  const port = ports.find((each) => each.protocol !== "udp");
  return port === undefined ? "it was ready" : `port ${port.containerPort} opened`;
}

export function failed(
  replica: SupervisedReplica,
  verdict: Verdict,
  what: string,
  options: { readonly hint?: string } = {},
): CtrlPlaneError {
  const { record, state } = replica;
  const end = replica.live === undefined ? state.lastEnd : undefined;
  return new CtrlPlaneError("FAILED", `${record.name} ${what}`, {
    ...options,
    target: record.id,
    failure: {
      verdict,
      replica: record.name,
      exitCode: end?.code ?? null,
      signal: end?.signal ?? null,
      starts: state.starts,
      logTail: logTail(replica.files.log, tailLines),
    },
  });
}
