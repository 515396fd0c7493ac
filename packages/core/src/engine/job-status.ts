import type { JobRun } from "../model/job-run.ts";
import type { InstanceState, InstanceStatus, ObservedInstance } from "../model/observed.ts";
import type { Stack } from "../model/stack.ts";
import type { KnownInstance } from "../plan/input.ts";
import { isRunning } from "../rollout/ensure-replicas.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { RunRecord } from "../state/intent.ts";
import type { Survey } from "./survey.ts";

/** How a job stands: its last run, and the state that follows from it. */
export interface JobStatus {
  readonly run: JobRun;
  readonly state: InstanceState;
}

/** Last runs of the jobs of a stack, by platform and service. */
export type LastRuns = (known: KnownInstance) => RunRecord | undefined;

export async function readLastRuns(seen: Survey, context: ProviderContext): Promise<LastRuns> {
  const found = await Promise.all(
    [...seen.surveys].map(async ([id, { platform }]) => [id, await platform.ledger.lastRuns(context)] as const),
  );
  const byPlatform = new Map(found);
  return ({ instance }) => byPlatform.get(instance.platformId)?.get(instance.service);
}

/**
 * Undefined of what is no job, and of one that was never run. A job that failed leaves nothing on its platform: the ledger knows.
 * `status`: as the platform says it, with replicas where they were asked for.
 */
export function jobStatus(
  known: KnownInstance,
  status: ObservedInstance | InstanceStatus | undefined,
  recorded: RunRecord | undefined,
  stack: Stack,
): JobStatus | undefined {
  const schedule = status?.schedule;
  if (schedule !== undefined && status?.settled?.schedule !== undefined)
    return schedule.last === undefined
      ? undefined
      : { run: schedule.last, state: scheduledState(status, schedule.last) };
  const running = runningNow(known, status);
  if (running !== undefined) return { run: running, state: "running" };
  if (recorded === undefined || !isJob(known, status, stack)) return undefined;
  const { service: _, epoch: __, ...last } = recorded;
  const settled = status?.settled;
  // As the platform saw it: who waited for it may have died, and another told it later.
  const endedAt = settled?.number === last.release ? settled.completedAt : undefined;
  const run = endedAt === undefined ? last : { ...last, endedAt };
  return { run, state: run.outcome === "completed" ? "completed" : "failed" };
}

/** A run that failed is news until the next one ended well. */
function scheduledState({ state, stopped }: ObservedInstance, { outcome }: JobRun): InstanceState {
  const isNews = !stopped && (outcome === "failed" || outcome === "unknown");
  return isNews ? "failed" : state;
}

/** What is settled says so; where nothing is, what is declared. */
function isJob({ instance }: KnownInstance, status: ObservedInstance | undefined, stack: Stack): boolean {
  if (status?.settled !== undefined) return status.settled.completedAt !== undefined;
  return stack.services[instance.service]?.spec.kind !== "service";
}

function runningNow(
  { unfinished }: KnownInstance,
  status: ObservedInstance | InstanceStatus | undefined,
): JobRun | undefined {
  if (unfinished?.isJob !== true || unfinished.to === undefined || status === undefined) return undefined;
  const replicas = "replicas" in status ? status.replicas : [];
  const { settled } = status;
  // Those of a service that is to become a job run on beside its attempt.
  const isService = settled !== undefined && settled.completedAt === undefined;
  const attempt = replicas.find((each) => isRunning(each) && !(isService && each.replicaHash === settled.replicaHash));
  if (attempt?.startedAt === undefined) return undefined;
  const { deployment, change, to } = unfinished;
  return { release: to, deployment, change, outcome: "running", startedAt: attempt.startedAt };
}
