import type { Change } from "../model/change.ts";
import type { Stack } from "../model/stack.ts";
import type { ServiceStatus, StackStatus } from "../control-plane.ts";
import { whyUnreachable } from "../plan/out-of-reach.ts";
import { isWhole } from "../plan/pause.ts";
import { ownRemains } from "../plan/remains.ts";
import { actionKey, type DeploymentPause, type KnownInstance, type UnfinishedDeployment } from "../plan/input.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { ResourceUsage } from "../provider/requests.ts";
import { leaseHolder } from "../state/lease.ts";
import type { Core } from "../platforms/core.ts";
import { readContext } from "../platforms/core.ts";
import { jobStatus, readLastRuns, type LastRuns } from "./job-status.ts";
import { knownInstances } from "./known.ts";
import { checkServices } from "./service-names.ts";
import { requireProvider, stackScope } from "../platforms/bind.ts";
import { newestChange, survey, type Survey } from "./survey.ts";

/** What serves, as the platforms say it now. */
export async function stackStatus(core: Core, stack: Stack, services: readonly string[]): Promise<StackStatus> {
  const context = readContext(core, stack.name);
  const seen = await survey(core, stack, context);
  const all = knownInstances(stack, seen);
  checkServices(stack, seen, all, services);
  const known = [...all.values()];
  const shown = known.filter((each) => isShown(each, stack, services, seen));
  const lastRuns = await readLastRuns(seen, context);
  const statuses = await Promise.all(
    shown.map(async (each) => withJob(await serviceStatus(each, stack, seen, context), each, lastRuns, stack)),
  );
  const lease = await currentLease(seen, stack, context);
  const lastChange = await endedChange(seen, context);
  return {
    stack: stack.name,
    ...(stack.environment === undefined ? {} : { environment: stack.environment }),
    services: statuses,
    ...(lastChange === undefined ? {} : { lastChange }),
    ...(lease === undefined ? {} : { lease }),
  };
}

/** The last change, with how it ended. */
async function endedChange(seen: Survey, context: ProviderContext): Promise<Change | undefined> {
  if (seen.lastChange === undefined) return undefined;
  const found = await Promise.all(
    [...seen.surveys.values()].map((each) => each.platform.ledger.changes(context, { limit: 1 })),
  );
  return newestChange(found.flat());
}

function isShown(known: KnownInstance, stack: Stack, services: readonly string[], seen: Survey): boolean {
  const { service } = known.instance;
  if (services.length > 0) return services.includes(service);
  const isDeclared = stack.services[service]?.providers.includes(known.instance.provider) ?? false;
  const found = known.observed ?? known.unfinished ?? ownRemains(known, seen);
  return isDeclared || found !== undefined;
}

async function serviceStatus(
  known: KnownInstance,
  stack: Stack,
  seen: Survey,
  context: ProviderContext,
): Promise<ServiceStatus> {
  const { instance, unfinished } = known;
  const base = {
    service: instance.service,
    instance: instance.id,
    provider: instance.provider,
    orphaned: stack.services[instance.service] === undefined,
    ...(unfinished === undefined ? {} : { unfinished: describeUnfinished(known, unfinished) }),
  };
  const bound = seen.platforms.providers.get(instance.provider);
  if (bound !== undefined && "problem" in bound) {
    const { message, ...why } = whyUnreachable(bound.problem);
    return { ...base, unreachable: message, ...why };
  }
  if (known.observed === undefined) {
    const remains = ownRemains(known, seen);
    return remains === undefined ? base : { ...base, remains: remains.volumes };
  }
  const status = await requireProvider(seen.platforms, instance.provider).provider.status({ instance }, context);
  return { ...base, status: unfinished?.pause === undefined ? status : { ...status, state: "paused" } };
}

function withJob(status: ServiceStatus, known: KnownInstance, lastRuns: LastRuns, stack: Stack): ServiceStatus {
  if (status.unreachable !== undefined) return status;
  const job = jobStatus(known, status.status, lastRuns(known), stack);
  if (job === undefined) return status;
  const { run, state } = job;
  return { ...status, run, ...(status.status === undefined ? {} : { status: { ...status.status, state } }) };
}

function describeUnfinished(
  known: KnownInstance,
  { deployment, change, to, pause }: UnfinishedDeployment,
): NonNullable<ServiceStatus["unfinished"]> {
  return {
    deployment,
    change,
    ...(to === undefined ? {} : { to }),
    ...(pause === undefined ? {} : { pause: { ...pauseFields(pause), isWhole: isWhole(known) } }),
  };
}

function pauseFields({ step, since, until }: DeploymentPause) {
  return { step, since, ...(until === undefined ? {} : { until }) };
}

async function currentLease(seen: Survey, stack: Stack, context: ProviderContext): Promise<StackStatus["lease"]> {
  for (const platform of seen.platforms.platforms.values()) {
    const held = await leaseHolder(platform.records, stackScope(stack), context);
    if (held !== undefined) return describeLease(held);
  }
  return undefined;
}

export function describeLease(
  held: NonNullable<Awaited<ReturnType<typeof leaseHolder>>>,
): NonNullable<StackStatus["lease"]> {
  const { user, host, pid, command } = held.holder;
  return { user, host, pid, command, since: held.since };
}

/** Measured use of each service that runs. */
export async function stackResources(
  core: Core,
  stack: Stack,
  services: readonly string[],
): Promise<Record<string, ResourceUsage>> {
  const context = readContext(core, stack.name);
  const seen = await survey(core, stack, context);
  const all = knownInstances(stack, seen);
  checkServices(stack, seen, all, services);
  const running = [...all.values()].filter(
    (each) => each.observed !== undefined && (services.length === 0 || services.includes(each.instance.service)),
  );
  const isSeveral = (service: string): boolean =>
    running.filter((each) => each.instance.service === service).length > 1;
  const entries = running.map(async ({ instance }): Promise<[string, ResourceUsage]> => {
    const { provider } = requireProvider(seen.platforms, instance.provider);
    const key = isSeveral(instance.service) ? actionKey(instance) : instance.service;
    return [key, await provider.resources({ instance }, context)];
  });
  return Object.fromEntries(await Promise.all(entries));
}
