import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { Change, DeploymentResult } from "../model/change.ts";
import type { Stack } from "../model/stack.ts";
import type { ServiceStatus, Stacks } from "../control-plane.ts";
import type { Deployment, Deployments } from "../deployments.ts";
import type { Core } from "../platforms/core.ts";

/** How often a change of another process is looked for its end. */
const lookMs = 1_000;

/** A service that the store knows, with a stack to ask about it. */
export interface Operated {
  readonly stack: Stack;
  readonly service: string;
}

/** Deployments by id, found through the instances that the store knows. */
export function makeDeployments(
  core: Core,
  stacks: Stacks,
  of: { one(instanceId: string): Promise<Operated>; all(): Promise<readonly Operated[]> },
): Deployments {
  const listOf = async ({ stack, service }: Operated, limit: number): Promise<Deployment[]> => {
    const [changes, status] = await Promise.all([stacks.history(stack, { limit }), stacks.status(stack, [service])]);
    const ended = changes.flatMap((change) =>
      (change.result?.services ?? [])
        .filter((each) => each.service === service)
        .flatMap((each) => describe(stack.name, change, each)),
    );
    const begun = status.services.flatMap((each) => unfinished(stack.name, changes, each));
    return [
      ...begun.filter(({ id, change }) => !ended.some((each) => each.id === id && each.change === change)),
      ...ended,
    ];
  };
  const find = async (id: string): Promise<Operated & { readonly deployment: Deployment }> => {
    for (const each of await of.all()) {
      const deployment = (await listOf(each, 1000)).find((one) => one.id === id);
      if (deployment !== undefined) return { ...each, deployment };
    }
    throw new CtrlPlaneError("NOT_FOUND", `no deployment has the id ${id}`, { target: id });
  };
  return {
    get: async (id) => (await find(id)).deployment,
    list: async (instanceId, options = {}) => listOf(await of.one(instanceId), options.limit ?? 20),
    watch: async function* (id, { after = 0, signal } = {}) {
      const { stack, deployment } = await find(id);
      const live = core.live.get(liveKey(stack.name, deployment.change));
      const events = live ?? (await recordedEvents(core, stacks, stack, deployment.change, signal));
      for await (const event of events) {
        if (signal?.aborted === true) return;
        if (event.seq > after) yield event;
      }
    },
    promote: async (id, options = {}) => {
      const { stack, service } = await find(id);
      return stacks.promote(stack, [service], options);
    },
    abort: async (id, options = {}) => {
      const { stack, service } = await find(id);
      return stacks.abort(stack, [service], options);
    },
  };
}

export function liveKey(stack: string, change: number): string {
  return `${stack}#${change}`;
}

function describe(stack: string, change: Change, result: DeploymentResult): Deployment[] {
  const { deployment, elapsedMs: _, ...rest } = result;
  if (deployment === undefined) return [];
  const { number, command, startedAt, finishedAt } = change;
  const end = finishedAt === undefined ? {} : { finishedAt };
  return [{ ...rest, id: deployment, stack, change: number, command, startedAt, ...end }];
}

function unfinished(stack: string, changes: readonly Change[], status: ServiceStatus): Deployment[] {
  const { service, provider, instance } = status;
  if (status.unfinished === undefined || status.unfinished.pause !== undefined) return [];
  const { deployment, change, to } = status.unfinished;
  const found = changes.find((each) => each.number === change);
  return [
    {
      id: deployment,
      stack,
      service,
      provider,
      instance,
      change,
      command: found?.command ?? "deploy",
      outcome: "unfinished",
      ...(to === undefined ? {} : { attempted: to }),
      startedAt: found?.startedAt ?? "",
    },
  ];
}

async function recordedEvents(
  core: Core,
  stacks: Stacks,
  stack: Stack,
  change: number,
  signal: AbortSignal | undefined,
): Promise<Awaited<ReturnType<Stacks["change"]>>["events"]> {
  for (;;) {
    const { events, result } = await stacks.change(stack, change);
    if (result !== undefined) return events;
    try {
      await core.clock.sleep(lookMs, signal);
    } catch (error) {
      if (signal?.aborted === true && !isCtrlPlaneError(error)) return [];
      throw error;
    }
  }
}
