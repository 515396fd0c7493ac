import {
  describeInstance,
  isCtrlPlaneError,
  replicaLabels,
  replicaName,
  type InstanceBase,
  type InstanceIdentity,
  type LogLine,
  type LogsRequest,
  type ObservedInstance,
  type ProviderContext,
  type Replica,
  type ReplicaDriver,
  type ReplicaEnd,
  type ResourceSpec,
} from "@ctrlplane/core/provider";
import { publishedAt } from "./address.ts";
import type { Client } from "./client.ts";
import type { CommandResult } from "./platform/commands.ts";
import type { CreateArgs, InstanceView, LogAnswer, LogArgs, RouteRecord } from "./protocol.ts";
import { sessionOf } from "./session.ts";
import { volumesOf } from "./volumes.ts";

/** Each method is one call of the platform. */
export function createDriver(client: Client): ReplicaDriver {
  const view = async (instance: InstanceIdentity, context: ProviderContext): Promise<InstanceView | undefined> =>
    ((await client.call("instance", { instance }, context)) ?? undefined) as InstanceView | undefined; // as `calls.instance` gives it
  const tell = async (name: string, args: unknown, context: ProviderContext): Promise<void> => {
    await client.call(name, args, context);
  };
  return {
    list: async (instance, context) => (await client.call("replicas", { instance }, context)) as readonly Replica[], // as `calls.replicas` gives it
    async instance(instance, context) {
      const seen = await view(instance, context);
      return seen === undefined ? undefined : baseOf(seen);
    },
    async create({ release, ordinal, replicas, deployment }, context) {
      const { instance, revision, spec, image, number } = release;
      const { replicaHash, generation } = revision;
      const args = {
        instance,
        name: replicaName(instance.name, ordinal, replicas),
        ordinal,
        replicaHash,
        generation,
        deployment,
        release: number,
        labels: replicaLabels(instance, { replicaHash, generation, ordinal }),
        digest: image.digest,
        declared: image.declared,
        env: revision.env,
        once: spec.kind === "job",
        limits: limitsOf(revision.resources),
        volumes: volumesOf(instance, spec.volumes, ordinal),
      };
      return (await client.call("create", args, context)) as Replica; // as `calls.create` gives it
    },
    start: ({ id }, context) => tell("start", { id }, context),
    waitReady: ({ id }, _release, { timeoutMs }, context) => tell("waitReady", { id, timeoutMs }, context),
    waitEnd: async ({ id }, context) => (await client.call("waitEnd", { id }, context)) as ReplicaEnd, // as `calls.waitEnd` gives it
    outlive: ({ id }, ms, context) => tell("outlive", { id, ms }, context),
    route(instance, set, context) {
      if (set === undefined) return tell("route", { instance }, context);
      const { ports } = set.release.spec;
      const route: RouteRecord = {
        release: set.release.number,
        ports,
        addresses: publishedAt(ports),
        targets: set.targets,
      };
      return tell("route", { instance, route }, context);
    },
    routed: async (instance, context) => (await view(instance, context))?.record.route?.targets ?? {},
    drain: ({ id }, _options, context) => tell("drain", { id }, context),
    stop: ({ id }, _options, context) => tell("stop", { id }, context),
    remove: ({ id }, context) => tell("remove", { id }, context),
    configure: ({ id }, { number }, context) => tell("configure", { id, release: number }, context),
    settle: (instance, settled, context) =>
      tell("settle", { instance, ...(settled === undefined ? {} : { settled }) }, context),
    markStopped: (instance, stopped, context) => tell("markStopped", { instance, stopped }, context),
    logs: (request, context) => readLogs(client, request, context),
    exec({ id }, { command }, context) {
      const carryOut = async (stdin: string): Promise<CommandResult> =>
        (await client.call("exec", { id, command, stdin }, context)) as CommandResult; // as `calls.exec` gives it
      return Promise.resolve(sessionOf(command, carryOut));
    },
    usage: (replicas, context) =>
      Promise.resolve({
        at: new Date(context.clock.now()).toISOString(),
        replicas: replicas
          .filter((each) => each.state === "ready")
          .map((each) => ({ replica: each.name, cpuMillis: 10, memoryMb: 16, limits: {} })),
      }),
  };
}

/** An instance as `list` and `status` show it. */
export function observedOf(seen: InstanceView): ObservedInstance {
  return describeInstance(baseOf(seen), seen.replicas, seen.record.route?.targets ?? {});
}

function baseOf({ record, image, replicas }: InstanceView): InstanceBase {
  const { name, stack, service, labels, stopped, settled, range, route, volumes } = record;
  const wanted =
    settled === undefined || stopped
      ? 0
      : typeof settled.replicas === "number"
        ? settled.replicas
        : settled.replicas.min;
  const [since] = replicas.flatMap((each) => each.startedAt ?? []).sort();
  // Where nothing should be routed, nothing being routed is no news.
  const isComparable = route !== undefined || wanted > 0;
  return {
    name,
    stack,
    service,
    labels,
    stopped,
    volumes,
    addresses: route?.addresses ?? [],
    observedFields: isComparable ? ["ports"] : [],
    fields: isComparable ? { ports: route?.ports ?? [] } : {},
    ...(settled === undefined ? {} : { settled }),
    ...(range === undefined ? {} : { range }),
    ...(image === undefined ? {} : { image }),
    ...(since === undefined ? {} : { since }),
  };
}

async function* readLogs(client: Client, request: LogsRequest, context: ProviderContext): AsyncGenerator<LogLine> {
  const { instance, previous: _previous, ...rest } = request;
  let after = 0;
  for (;;) {
    const args: LogArgs = { ...rest, instance: instance.name, after };
    let answer: LogAnswer;
    try {
      answer = (await client.call("logs", args, context)) as LogAnswer; // as `calls.logs` gives it
    } catch (error) {
      // That is how a reader who follows ends it.
      if (request.follow && isCtrlPlaneError(error) && error.code === "CANCELLED") return;
      throw error;
    }
    yield* answer.lines;
    after = answer.after;
    if (!request.follow) return;
  }
}

function limitsOf({ cpuMillis, memoryMb }: ResourceSpec): CreateArgs["limits"] {
  return { ...(cpuMillis === undefined ? {} : { cpuMillis }), ...(memoryMb === undefined ? {} : { memoryMb }) };
}
