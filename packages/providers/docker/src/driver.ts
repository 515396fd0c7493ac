import { label, replicaName } from "@ctrlplane/core/provider";
import type { InstanceIdentity, ProviderContext, Release, ReplicaDriver, ReplicaEnd } from "@ctrlplane/core/provider";
import { mapEngineError, mappedEngine, segment, type EngineClient } from "@ctrlplane/images";
import type { Adoptions } from "./adoption.ts";
import { leaveAdopted, listAdopted, restoreAdopted } from "./adopted-replicas.ts";
import { restartPolicyOf } from "./container-body.ts";
import { changedLimits } from "./altered.ts";
import type { ContainerEvents } from "./container-events.ts";
import { findContainers, inspect, isReplica, replicasAmong, nameOf, type Judgement } from "./containers.ts";
import { createReplica } from "./create-replica.ts";
import { observeInstance } from "./describe-instance.ts";
import { execIn } from "./exec.ts";
import { needsNoGateway } from "./front.ts";
import { drainTarget } from "./gateway/index.ts";
import { gateOf } from "./gate.ts";
import type { EngineImages } from "./image.ts";
import { emptyRecord, type FoundInstance, type InstanceRecord } from "./instance-record.ts";
import type { InstanceRecords } from "./instance-records.ts";
import { waitJob } from "./job-end.ts";
import { dockerLabel } from "./labels.ts";
import { sightOf } from "./lease-sight.ts";
import { readLogs } from "./logs.ts";
import { isRetired } from "./names.ts";
import { requireOurs } from "./require-ours.ts";
import { SeenContainers } from "./seen-containers.ts";
import { removeContainer } from "./remove-container.ts";
import { renameContainer, retireReplica, stopReplica } from "./stop-replica.ts";
import { readUsage } from "./usage.ts";
import { volumesOf } from "./volumes.ts";
import { gatewayPlace, routeTo, routeToNone, unpublish, type RoutingParts } from "./routing.ts";
import { outlive } from "./wait-ready.ts";

export interface DriverParts {
  readonly engine: EngineClient;
  readonly events: ContainerEvents;
  readonly records: InstanceRecords;
  readonly images: Pick<EngineImages, "having">;
  readonly adoptions: Adoptions;
  /** Where published ports are reached by people: the host's address. */
  readonly publicHost: string;
  /** Image of gateways: HAProxy. */
  readonly gatewayImage: string;
}

/** Deployments whose replicas are kept for their logs after they have ended, besides the one that serves. */
const keptDeployments = 2;

/** Replicas as containers of one engine, without anything of ours running beside it. */
export function dockerDriver(parts: DriverParts): ReplicaDriver {
  const { engine, records, images, adoptions } = parts;
  /** Starts that passed their gate in this process: container → when it was started. */
  const passed = new Map<string, string>();
  const seen = new SeenContainers();
  const gate = gateOf(parts, passed);
  const routing: RoutingParts = { ...parts, start: gate.start, bringUp: gate.bringUp, seen };

  const judgementOf = ({ targets = {}, stopped, passed: known = {} }: InstanceRecord): Judgement => ({
    targets,
    stopped,
    hasPassed: (id, startedAt) => (passed.get(id) ?? known[id]) === startedAt,
  });
  const list = async (instance: InstanceIdentity, context: ProviderContext) => {
    const { signal } = context;
    return mappedEngine(instance.name, async () => {
      const adoption = await adoptions.read(instance, signal);
      const record = (await records.read(instance, context))?.record;
      const adopted = await listAdopted(engine, instance, { adoption, record }, signal);
      const isBare = sightOf(engine, context.fence).isBare(instance.name);
      const containers = isBare ? [] : await findContainers(engine, instance.name, signal);
      const judgement = judgementOf(record ?? emptyRecord(instance));
      const replicas = [...adopted, ...(await replicasAmong(engine, containers, instance, judgement, signal))];
      const ids = replicas.map((each) => each.id);
      seen.listed(instance, ids);
      return replicas;
    });
  };
  /** What another stack made under this name is not touched. */
  const ownRecord = async (instance: InstanceIdentity, context: ProviderContext) => {
    const found = await records.read(instance, context);
    if (found !== undefined) requireOurs(instance, found.labels);
    return found;
  };

  return {
    list,

    async instance(instance, context) {
      const { stack, name } = instance;
      const adoption = await adoptions.read(instance, context.signal);
      const isAdopted = adoption !== undefined && adoption.containers.length > 0;
      const unwritten: FoundInstance | undefined = isAdopted
        ? { name, stack, labels: adoption.labels, record: emptyRecord(instance) }
        : undefined;
      const found = (await records.read(instance, context)) ?? unwritten;
      if (found === undefined) return undefined;
      return mappedEngine(instance.name, () => observeInstance(parts, found, adoption, context));
    },

    async create(request, context) {
      const { instance, spec } = request.release;
      await records.begin(instance, context);
      const { replica, ...how } = await mappedEngine(instance.name, async () => {
        if (request.replicas === 1 && needsNoGateway(spec)) await unpublish(routing, instance, context);
        const adoption = await adoptions.read(instance, context.signal);
        return images.having(request.release, context, () =>
          createReplica(engine, request, { adoption, seen }, context),
        );
      });
      seen.made(instance, replica.id, how);
      return replica;
    },

    start: (replica, context) => gate.start(replica, context),
    async waitReady(replica, release, { timeoutMs }, context) {
      const startedAt = await gate.pass(replica, release, timeoutMs, context);
      // Such a replica may wait unrouted for a person, and nobody but us knows that it passed.
      if (!isStaged(release.spec)) return;
      const change = (record: InstanceRecord) => ({ ...record, passed: { ...record.passed, [replica.id]: startedAt } });
      await records.change(release.instance, change, context);
    },

    waitEnd: (replica, context): Promise<ReplicaEnd> =>
      mappedEngine(replica.name, () => waitJob(engine, replica, context)),
    outlive: (replica, ms, context) => mappedEngine(replica.name, () => outlive(parts, replica, ms, context)),

    async route(instance, set, context) {
      let targets: InstanceRecord["targets"];
      if (set === undefined) {
        const found = await ownRecord(instance, context);
        if (found === undefined) return;
        await mappedEngine(instance.name, () => routeToNone(routing, instance, found.record.ports, context));
      } else targets = await mappedEngine(instance.name, () => routeTo(routing, set, context));
      const layout = (await adoptions.read(instance, context.signal))?.layout;
      const change = ({ targets: _, ...record }: InstanceRecord): InstanceRecord => {
        if (set === undefined || targets === undefined) return { ...record, ports: [] };
        const { spec } = set.release;
        const routed = { ...record, ports: spec.ports, targets, volumes: volumesOf(instance, spec, layout) };
        return set.settled === undefined ? routed : withSettled(routed, set.settled);
      };
      await records.change(instance, change, context);
    },

    routed: async (instance, context) => (await records.read(instance, context))?.record.targets ?? {},

    async drain(replica, { timeoutMs }, context) {
      if (replica.isAdopted === true) return;
      // At ports that it publishes itself nothing is drained: connections to it end with it.
      const place = gatewayPlace(routing, seen.instanceOf(replica));
      await drainTarget(place, replica.id, { timeoutMs }, context);
    },

    async restore(instance, context) {
      const adoption = await adoptions.read(instance, context.signal);
      if (adoption === undefined) return false;
      return mappedEngine(instance.name, async () => {
        await unpublish(routing, instance, context);
        // Also one that `stop` had ended.
        const found = await ownRecord(instance, context);
        if (found?.record.stopped === true)
          await records.change(instance, (record) => ({ ...record, stopped: false }), context);
        return restoreAdopted(engine, adoption, context);
      });
    },

    stop: (replica, { signal, graceMs }, context) =>
      mappedEngine(replica.name, () => {
        // Another signal would cost it its restart policy, and it may have to run again.
        const ending = signal === undefined || replica.isAdopted === true ? { graceMs } : { signal, graceMs };
        return stopReplica(engine, replica.id, ending, context);
      }),
    remove: (replica, context) => mappedEngine(replica.name, () => retireReplica(engine, replica.id, context)),

    async configure(replica, release, context) {
      const details = await mappedEngine(replica.name, () => inspect(engine, replica.id, context.signal));
      if (details === undefined) return;
      await context.fence.check();
      const path = `/containers/${segment(replica.id)}/update`;
      const body = { RestartPolicy: restartPolicyOf(release.spec), ...changedLimits(details) };
      await mappedEngine(replica.name, () => engine.json({ method: "POST", path, body, signal: context.signal }));
    },

    async settle(instance, settled, context) {
      if (settled === undefined) {
        await records.remove(instance, context);
        return;
      }
      await records.change(instance, (record) => withSettled(record, settled), context);
      // Not before: from here on there is no way back to what pctl 1.1 made.
      await mappedEngine(instance.name, () => leaveAdopted(engine, adoptions, instance, context));
      if (seen.takeSingle(instance) && settled.replicas === 1) return;
      await mappedEngine(instance.name, () => tidy(instance, settled.deployment, settled.replicas, context));
    },

    async markStopped(instance, stopped, context) {
      await records.change(instance, (record) => ({ ...record, stopped }), context);
      if (stopped) await mappedEngine(instance.name, () => unpublish(routing, instance, context));
    },

    logs: (request, context) => readLogs(engine, request, context),
    exec: (replica, request, context) => execIn(engine, replica, request, context),
    usage: (replicas, context) =>
      readUsage(engine, replicas, context).catch((error: unknown) => {
        throw mapEngineError(error, "the engine's statistics");
      }),
  };

  /** Replicas bear the names that users know, and what ended for good is kept for the newest deployments alone. */
  async function tidy(
    instance: InstanceIdentity,
    deployment: string,
    replicas: number | { readonly min: number; readonly max: number },
    context: ProviderContext,
  ): Promise<void> {
    const found = await findContainers(engine, instance.name, context.signal);
    const own = found.filter((each) => isReplica(each) && each.Labels?.[label.lineage] === instance.lineage);
    const total = typeof replicas === "number" ? replicas : replicas.max;
    for (const each of own.filter((one) => !isRetired(nameOf(one)))) {
      const wanted = replicaName(instance.name, Number(each.Labels?.[label.ordinal] ?? 1), total);
      if (nameOf(each) !== wanted) await renameContainer(engine, each.Id, wanted, context);
    }
    const retired = own.filter((each) => isRetired(nameOf(each))).sort((a, b) => b.Created - a.Created);
    const kept = new Set([deployment]);
    for (const each of retired) {
      const its = each.Labels?.[dockerLabel.deployment] ?? "";
      if (kept.size <= keptDeployments) kept.add(its);
      if (!kept.has(its)) await removeContainer(engine, each.Id, context);
    }
  }
}

/** Old and new replicas run side by side for longer than it takes to route. */
function isStaged({ strategy }: Release["spec"]): boolean {
  return strategy.type === "blue_green" || strategy.type === "canary";
}

function withSettled(
  { range: _, passed: __, ...record }: InstanceRecord,
  settled: NonNullable<InstanceRecord["settled"]>,
): InstanceRecord {
  const { min, max } = typeof settled.replicas === "number" ? { min: 0, max: 0 } : settled.replicas;
  return {
    ...record,
    // What was stopped of pctl 1.1 runs as a release from now on.
    stopped: record.stopped && record.settled !== undefined,
    settled,
    ...(max === 0 ? {} : { range: { min, max } }),
  };
}
