import type {
  InstanceState,
  InstanceStatus,
  JobRun,
  ReplicaStatus,
  ResourceUsage,
  ServiceStatus,
  StackStatus,
} from "@ctrlplane/core";
import { groupedBy, helpOf } from "./grouped.ts";
import { describeSchedule, runState, runTones, whyFailed } from "./job.ts";
import type { NextStep } from "./next-step.ts";
import type { Paint, Tone } from "./paint.ts";
import { fullColumns, shortList, table } from "./table.ts";
import { age, ago } from "./time.ts";

export interface StatusView {
  readonly paint: Paint;
  readonly next: NextStep;
  readonly nowMs: number;
  /** Each replica on its own line. */
  readonly replicas: boolean;
  /** Names of providers of type `local` that no supervisor watches over. */
  readonly unwatched: ReadonlySet<string>;
}

const tones: Readonly<Record<InstanceState, Tone>> = {
  serving: "good",
  completed: "good",
  running: "good",
  scheduled: "good",
  failed: "bad",
  degraded: "warn",
  paused: "warn",
  down: "bad",
  stopped: "dim",
};

/** What runs: a table, then what a reader must know besides. */
export function renderStatus(status: StackStatus, view: StatusView): string[] {
  const { paint } = view;
  const name = status.environment === undefined ? status.stack : `${status.stack} (${status.environment})`;
  const last = status.lastChange;
  const isSeen = status.services.every((each) => each.unreachable === undefined);
  const never = isSeen ? "never deployed" : "what was changed last is not known";
  const change =
    last === undefined
      ? never
      : `change #${last.number} ${describeChange(last, status.lease !== undefined, view.nowMs)}`;
  const lines = [`${paint("strong", name)}: ${change}`];
  const shown = status.services.filter((each) => !isLeftOver(each, status.services));
  if (shown.length > 0) lines.push("", ...serviceTable(shown, view));
  const notes = notesOf(status, view);
  return notes.length === 0 ? lines : [...lines, "", ...notes];
}

export function renderResources(resources: Readonly<Record<string, ResourceUsage>>): string[] {
  const rows = Object.values(resources).flatMap((usage) =>
    usage.replicas.map((each) => [
      each.replica,
      `${each.cpuMillis}m${each.limits.cpuMillis === undefined ? "" : ` of ${each.limits.cpuMillis}m`}`,
      `${Math.round(each.memoryMb)} MiB${each.limits.memoryMb === undefined ? "" : ` of ${each.limits.memoryMb} MiB`}`,
    ]),
  );
  return rows.length === 0 ? ["No replica runs."] : table(["REPLICA", "CPU", "MEMORY"], rows);
}

function describeChange(change: NonNullable<StackStatus["lastChange"]>, isRunning: boolean, nowMs: number): string {
  const outcome = change.result?.outcome ?? (isRunning ? "running" : "never finished");
  return `${change.command} by ${change.by} ${ago(change.startedAt, nowMs)}, ${outcome}`;
}

function serviceTable(services: readonly ServiceStatus[], view: StatusView): string[] {
  const header = ["SERVICE", "PROVIDER", "STATE", "RELEASE", "READY", "RESTARTS", "SINCE", "ADDRESS"];
  const rows = services.flatMap((each) => [
    serviceRow(each, view),
    ...(view.replicas
      ? [...(each.status?.replicas ?? [])]
          .sort((a, b) => a.ordinal - b.ordinal)
          .map((replica) => replicaRow(replica, view))
      : []),
  ]);
  return table(...fullColumns(header, rows));
}

function serviceRow(seen: ServiceStatus, view: StatusView): string[] {
  const { service, provider, status, unreachable, run } = seen;
  const { paint, nowMs } = view;
  if (status?.schedule !== undefined) return scheduleRow(seen, status, view);
  if (run !== undefined) return jobRow(service, provider, run, view);
  if (status === undefined)
    return [service, provider, unreachable === undefined ? paint("dim", "absent") : paint("bad", "unreachable")];
  const current = status.settled;
  const ready = status.replicas.filter((each) => each.state === "ready" && isOf(each, status)).length;
  const wanted = current === undefined ? String(status.replicas.length) : wantedText(current.replicas);
  return [
    service,
    provider,
    paint(tones[status.state], status.state === "completed" ? "completed, exit 0" : status.state),
    current === undefined ? "-" : String(current.number),
    status.state === "stopped" || status.state === "completed" ? "-" : `${ready} of ${wanted}`,
    status.restarts === 0 ? "" : paint("warn", String(status.restarts)),
    sinceText(status, nowMs),
    status.addresses.join(" "),
  ];
}

function jobRow(service: string, provider: string, run: JobRun, { paint, nowMs }: StatusView): string[] {
  const state = paint(runTones[run.outcome], runState(run));
  return [service, provider, state, String(run.release), "-", "", age(run.endedAt ?? run.startedAt, nowMs)];
}

/** SINCE is that of its last run. */
function scheduleRow(
  { service, provider, run }: ServiceStatus,
  { state, settled }: InstanceStatus,
  { paint, nowMs }: StatusView,
): string[] {
  const words = state === "failed" && run !== undefined ? runState(run) : state;
  const since = run === undefined ? "" : age(run.endedAt ?? run.startedAt, nowMs);
  return [service, provider, paint(tones[state], words), String(settled?.number ?? "-"), "-", "", since];
}

/** Of a job: when it was done. */
function sinceText({ since, settled }: NonNullable<ServiceStatus["status"]>, nowMs: number): string {
  const at = settled?.completedAt ?? since;
  return at === undefined ? "" : age(at, nowMs);
}

/** While a release waits at a step its replicas run beside those of the one that is counted. */
function isOf(replica: ReplicaStatus, { state, settled }: InstanceStatus): boolean {
  return state !== "paused" || settled === undefined || replica.replicaHash === settled.replicaHash;
}

function wantedText(replicas: number | { readonly min: number; readonly max: number }): string {
  return typeof replicas === "number" ? String(replicas) : `${replicas.min}..${replicas.max}`;
}

function replicaRow(replica: ReplicaStatus, { paint, nowMs }: StatusView): string[] {
  const tone: Tone =
    replica.state === "ready" ? "good" : replica.state === "unhealthy" || replica.state === "exited" ? "bad" : "dim";
  const ended =
    replica.signal ?? (replica.exitCode === undefined || replica.exitCode === null ? "" : `code ${replica.exitCode}`);
  return [
    paint("dim", `  ${replica.name}`),
    "",
    paint(tone, [replica.state, ended].filter((each) => each !== "").join(", ")),
    "",
    replica.routed ? "routed" : "",
    replica.restarts === 0 ? "" : paint("warn", String(replica.restarts)),
    replica.startedAt === undefined ? "" : age(replica.startedAt, nowMs),
  ];
}

function whyDown({ service, status }: ServiceStatus, next: NextStep): string {
  return status?.settled === undefined
    ? `: no release of it has served yet; ${next("history")} and ${next(`logs ${service} --change N`)} say why`
    : `; ${next(`logs ${service} --tail 20`)}`;
}

/** `web: release 6 gets 25 % at step 2 since 3 min, until 12:10:00 UTC; pctl promote web · pctl abort web`. */
function describePause({ service, status, unfinished }: ServiceStatus, nowMs: number, next: NextStep): string {
  const { settled, revisions = [] } = status ?? {};
  const other = revisions.filter(
    (each) => each.replicaHash !== settled?.replicaHash || each.generation !== settled.generation,
  );
  const share = Math.round(other.reduce((sum, each) => sum + each.weight, 0));
  const { step = 0, since = "", until, isWhole = true } = unfinished?.pause ?? {};
  const when = until === undefined ? "" : `, until ${until.slice(11, 19)} UTC`;
  const broken = isWhole ? "" : "; replicas of it ended, and the next deploy or promote takes it back";
  const what = `release ${unfinished?.to ?? "?"} gets ${share} % at step ${step} since ${age(since, nowMs)}${when}${broken}`;
  return `${service}: ${what}; ${next(`promote ${service}`)} · ${next(`abort ${service}`)}`;
}

/** Nothing of it is there or wanted there but its volumes. */
function isLeftOver({ remains, orphaned, service }: ServiceStatus, all: readonly ServiceStatus[]): boolean {
  return remains !== undefined && (orphaned || isElsewhere(service, all));
}

function isElsewhere(service: string, all: readonly ServiceStatus[]): boolean {
  return all.filter((each) => each.service === service).length > 1;
}

function describeRemains(
  { service, provider }: ServiceStatus,
  volumes: readonly string[],
  all: readonly ServiceStatus[],
  next: NextStep,
): string {
  const what = `volumes that ${service} left on ${provider} are still there: ${volumes.join(", ")}`;
  // The command means the service wherever it is.
  return isElsewhere(service, all) ? what : `${what}; ${next(`destroy ${service} --volumes`)} removes them`;
}

function jobNotes(seen: ServiceStatus, { paint, next, nowMs }: Pick<StatusView, "paint" | "next" | "nowMs">): string[] {
  const { service, status, run } = seen;
  const isFailed = run?.outcome === "failed" || run?.outcome === "unknown";
  return [
    ...(status?.schedule === undefined ? [] : [describeSchedule(service, status, nowMs)]),
    ...(isFailed ? [`${paint("bad", "failed")}: ${service} ${whyFailed(seen, run, next)}`] : []),
  ];
}

function isRunningJob({ run }: ServiceStatus): boolean {
  return run?.outcome === "running";
}

/** Each platform once, with all that it hides, and what to do about it. */
function outOfReach(services: readonly ServiceStatus[], { paint }: Pick<StatusView, "paint">): string[] {
  const hidden = services.filter((each) => each.unreachable !== undefined);
  return [
    ...groupedBy(hidden, ({ provider, unreachable }) => `${provider} ${unreachable}`).map((group) => {
      const { provider, unreachable } = group[0];
      const names = shortList(group.map(({ service }) => service));
      return `${paint("warn", "unreachable")}: ${names} on ${provider}: ${unreachable}`;
    }),
    ...helpOf(hidden.map(({ problem }) => problem ?? {})),
  ];
}

function notesOf({ services, lease }: StackStatus, { paint, next, nowMs, unwatched }: StatusView): string[] {
  const hidden = outOfReach(services, { paint });
  const others = services.flatMap((each) => {
    const lines: string[] = [];
    const pause = each.unfinished?.pause;
    if (pause !== undefined) lines.push(`${paint("warn", "paused")}: ${describePause(each, nowMs, next)}`);
    else if (each.unfinished !== undefined && !(isRunningJob(each) && lease !== undefined)) {
      const then = isRunningJob(each) ? "waits for it" : "goes on from there";
      lines.push(
        `${paint("warn", "unfinished")}: change #${each.unfinished.change} of ${each.service}; ${next("deploy")} ${then}`,
      );
    }
    lines.push(...jobNotes(each, { paint, next, nowMs }));
    if (each.remains !== undefined) lines.push(describeRemains(each, each.remains, services, next));
    else if (each.orphaned)
      lines.push(
        `${paint("warn", "orphaned")}: ${each.service} is not in the file any more; ${next("deploy")} removes it`,
      );
    const scaled = each.status?.settled?.scaledBy;
    if (scaled !== undefined)
      lines.push(
        `${each.service} was scaled by ${scaled.by} with change #${scaled.change}; a deploy returns to the file's scale`,
      );
    if (each.status?.state === "down" && !unwatched.has(each.provider))
      lines.push(`${paint("bad", "down")}: ${each.service}${whyDown(each, next)}`);
    return lines;
  });
  const notes = [...hidden, ...others];
  for (const provider of unwatched) {
    const isDown = services.some((each) => each.provider === provider && each.status?.state === "down");
    const isScheduled = services.some(
      (each) => each.provider === provider && each.status?.schedule !== undefined && !each.status.stopped,
    );
    const schedules = isScheduled ? ", and nothing runs by its schedule" : "";
    const what = isDown
      ? `its processes were ended, by pctl local stop or a restart of the machine${schedules}`
      : `its services run, but nothing restarts one that ends${schedules}`;
    notes.push(`${paint("bad", "no supervisor")}: ${provider}: ${what}; ${next("start")} brings it back`);
  }
  if (lease !== undefined) {
    notes.push(
      `${paint("warn", "changing now")}: ${lease.command} by ${lease.user} on ${lease.host} (pid ${lease.pid}), since ${age(lease.since, nowMs)}`,
    );
  }
  return notes;
}
