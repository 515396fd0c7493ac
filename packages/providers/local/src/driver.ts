import type { InstanceIdentity, ProviderContext, Release, ReplicaDriver } from "@ctrlplane/core/provider";
import { measureTraffic } from "./cut-over.ts";
import { describeIdentity, describeRelease, observe, routeOf } from "./describe.ts";
import { execInReplica } from "./exec.ts";
import { readLogs } from "./logs/read-logs.ts";
import { requireOurs } from "./ownership.ts";
import { ensurePlatform } from "./platform.ts";
import { describeReplica, volumesOf } from "./replica-parts.ts";
import type { ReplicaParts } from "./replica-parts.ts";
import { defaultStop, policyOf } from "./revision.ts";
import { hasSchedule } from "./schedule/files.ts";
import type { JobTimes } from "./schedule/records.ts";
import type { SupervisorClient, WriteOptions } from "./supervisor/operations.ts";
import type { InstanceDescription } from "./supervisor/records.ts";
import { readInstance, readReplicas, readRouted } from "./supervisor/read.ts";
import { readVolumes } from "./volumes.ts";

export interface DriverParts extends ReplicaParts {
  readonly supervisor: SupervisorClient;
  /** Environment of this process; commands in replicas inherit the documented names of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Replicas as supervised processes. What only reads works without a supervisor. */
export function localDriver(parts: DriverParts): ReplicaDriver {
  const { dir, supervisor } = parts;
  const published = publishedReleases();
  return {
    list: async (instance) => readReplicas(dir, instance.name),

    async instance(instance) {
      const record = readInstance(dir, instance.name);
      return record === undefined
        ? undefined
        : observe(dir, record, readReplicas(dir, instance.name), readVolumes(dir));
    },

    async create(request, context) {
      const { instance } = request.release;
      requireOurs(dir, instance);
      await ensurePlatform(dir);
      published.remember(request.release);
      return supervisor.create(await describeReplica(parts, request), writeOptions(context));
    },

    start: async (replica, context) => supervisor.start(replica.id, writeOptions(context)),
    waitReady: async (replica, _release, options, context) =>
      supervisor.waitReady(replica.id, options, { signal: context.signal }),
    waitEnd: async (replica, context) => supervisor.waitEnd(replica.id, { signal: context.signal }),
    outlive: async (replica, ms, context) => supervisor.outlive(replica.id, ms, { signal: context.signal }),

    async schedule(instance, set, context) {
      requireOurs(dir, instance);
      if (set === undefined) {
        if (hasSchedule(dir, instance.name)) await supervisor.schedule(instance.name, undefined, writeOptions(context));
        return;
      }
      await ensurePlatform(dir);
      published.remember(set.release);
      const run = await describeReplica(parts, { ...set, ordinal: 1, replicas: 1 });
      await supervisor.schedule(instance.name, { ...timesOf(set.release), run }, writeOptions(context));
    },

    async route(instance, set, context) {
      requireOurs(dir, instance);
      if (set !== undefined) published.remember(set.release);
      // Nothing of it is there that could be routed, and no record that could say so.
      if (set === undefined && readInstance(dir, instance.name) === undefined) return;
      const route = set === undefined ? undefined : routeOf(set.release, set.targets);
      await supervisor.route(instance.name, route, writeOptions(context));
    },

    measure: (instance, context) => measureTraffic(dir, instance, context),
    routed: async (instance) => readRouted(dir, instance.name),
    drain: async (replica, options, context) => supervisor.drain(replica.id, options, writeOptions(context)),
    stop: async (replica, options, context) =>
      supervisor.stop(replica.id, { ...defaultStop, ...options }, writeOptions(context)),
    remove: async (replica, context) => supervisor.remove(replica.id, writeOptions(context)),

    async configure(replica, release, context) {
      published.remember(release);
      await supervisor.configure(replica.id, policyOf(release), writeOptions(context));
    },

    async settle(instance, settled, context) {
      requireOurs(dir, instance);
      const release = settled === undefined ? undefined : published.find(instance, settled.specHash);
      const description =
        release === undefined
          ? recorded(dir, instance)
          : describeRelease(release, volumesOf(dir, instance, release.spec));
      await supervisor.settle(description, settled, writeOptions(context));
      published.forget(instance);
    },

    async markStopped(instance, stopped, context) {
      requireOurs(dir, instance);
      await supervisor.markStopped(instance.name, stopped, writeOptions(context));
    },

    logs: (request, context) => readLogs(dir, request, context),
    exec: async (replica, request, context) => execInReplica(parts, replica, request, context),
    usage: async (replicas, context) => ({
      at: new Date(context.clock.now()).toISOString(),
      replicas: await supervisor.usage(
        replicas.map((each) => each.id),
        { signal: context.signal },
      ),
    }),
  };
}

function timesOf({ spec }: Release): JobTimes {
  const { schedule: cron = "", timezone = "UTC", overlap = "skip", timeoutMs } = spec.job ?? {};
  return { cron, timezone, overlap, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** What is recorded already, where a release without replicas left nothing to describe it by. */
function recorded(dir: string, instance: InstanceIdentity): InstanceDescription {
  const record = readInstance(dir, instance.name);
  if (record === undefined) return describeIdentity(instance);
  const { settled: _, stopped: __, route: ___, ...description } = record;
  return description;
}

/** Sent with every change: an older epoch than the highest one seen is refused by the supervisor. */
export function writeOptions(context: ProviderContext): WriteOptions {
  const { stack, epoch } = context.fence;
  return { fence: { stack, epoch }, signal: context.signal };
}

/** Which release is being rolled out: what is settled in the end names it by its hash alone. */
function publishedReleases() {
  const releases = new Map<string, Map<string, Release>>();
  return {
    remember({ instance, ...rest }: Release): void {
      const known = releases.get(instance.name) ?? new Map<string, Release>();
      releases.set(instance.name, known.set(rest.specHash, { instance, ...rest }));
    },
    find: (instance: InstanceIdentity, specHash: string): Release | undefined =>
      releases.get(instance.name)?.get(specHash),
    forget: (instance: InstanceIdentity): void => void releases.delete(instance.name),
  };
}
