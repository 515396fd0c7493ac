import { CtrlPlaneError, isCtrlPlaneError, newId, revisionOf, specHash } from "@ctrlplane/core/provider";
import type {
  InstanceIdentity,
  InstanceStatus,
  Provider,
  ProviderContext,
  Release,
  SettledRelease,
} from "@ctrlplane/core/provider";
import { inHurry, neverWaits, onCall, type Liar } from "./liar.ts";

/** Lies about start, stop, restart, removal, scale, rollback and status. */
export const liarsOfLifecycle: readonly Liar[] = [
  {
    name: "stop leaves it running",
    lie: (honest) => ({
      async stop(request, context) {
        return { ...(await honest.status(request, context)), state: "stopped", stopped: true };
      },
    }),
    caughtBy: [
      "lifecycle.stop-ends-every-replica",
      "lifecycle.stop-takes-it-off-its-address",
      "lifecycle.stopped-stays-stopped",
      "exec.needs-something-that-runs",
      "cancellation.of-a-stop-can-be-repeated",
      "fencing.an-old-holder-stops-nothing",
    ],
  },
  {
    name: "stop wants something to stop",
    lie: (honest) => ({
      async stop(request, context) {
        const { stopped } = await honest.status(request, context);
        if (stopped) throw new CtrlPlaneError("CONFLICT", `${request.instance.name} is stopped`);
        return honest.stop(request, context);
      },
    }),
    caughtBy: ["lifecycle.stop-again-succeeds"],
  },
  {
    name: "start brings back one replica",
    lie: (honest) => ({ start: (request, context) => honest.start({ ...request, replicas: 1 }, context) }),
    caughtBy: ["lifecycle.start-brings-it-back", "idempotence.start-again-starts-no-second"],
  },
  {
    name: "start answers, and starts nothing",
    lie: (honest) => ({
      start: async (request, context) => ({ ...(await honest.status(request, context)), state: "serving" }),
    }),
    caughtBy: ["ownership.other-lineage-is-not-started", "lifecycle.start-brings-it-back"],
  },
  {
    name: "restart does nothing",
    lie: (honest) => ({ restart: (request, context) => honest.status(request, context) }),
    caughtBy: [
      "identity.a-restart-raises-the-generation",
      "lifecycle.restart-replaces-every-replica",
      "fencing.an-old-holder-restarts-nothing",
    ],
  },
  {
    name: "restart counts every call",
    lie: (honest) => ({
      restart: (request, context) => honest.restart({ ...request, deployment: newId("dep") }, context),
    }),
    caughtBy: ["idempotence.one-restart-is-one"],
  },
  {
    name: "restart returns before it is ready",
    around: neverWaits,
    lie: (honest) => ({
      restart: (request, context) => inHurry(() => honest.restart(request, context)),
    }),
    caughtBy: ["lifecycle.restart-serves-when-returned"],
  },
  {
    name: "status says serving of what is down",
    lie: (honest) => ({
      async status(request, context) {
        const status = await honest.status(request, context);
        return status.stopped ? status : { ...status, state: "serving" };
      },
    }),
    caughtBy: ["lifecycle.a-dead-replica-is-told", "jobs.ends-completed"],
  },
  {
    name: "status knows what this provider did",
    lie: (honest) => {
      const deployed = new Set<string>();
      return {
        deploy(request, context) {
          deployed.add(request.instance.name);
          return honest.deploy(request, context);
        },
        async status(request, context) {
          const { settled, ...status } = await honest.status(request, context);
          return settled === undefined || !deployed.has(request.instance.name) ? status : { ...status, settled };
        },
      };
    },
    caughtBy: ["lifecycle.another-provider-sees-the-same"],
  },
  {
    name: "status of nothing is something",
    lie: (honest) => ({
      status: (request, context) =>
        honest.status(request, context).catch((error: unknown) => orNothing(error, request.instance)),
      stop: (request, context) =>
        honest.stop(request, context).catch((error: unknown) => orNothing(error, request.instance)),
    }),
    caughtBy: [
      "ownership.other-lineage-is-not-stopped",
      "ownership.unlabelled-is-not-stopped",
      "lifecycle.status-of-nothing-is-not-found",
      "lifecycle.stop-of-nothing-is-not-found",
    ],
  },
  {
    name: "every status has an address",
    lie: (honest) => ({
      async status(request, context) {
        const status = await honest.status(request, context);
        const { addresses } = status;
        return { ...status, addresses: addresses.length === 0 ? [`http://${status.name}`] : addresses };
      },
    }),
    caughtBy: ["jobs.a-job-takes-no-traffic"],
  },
  {
    name: "deprovision of nothing is not found",
    lie: (honest) => ({
      async deprovision(request, context) {
        await honest.status(request, context);
        await honest.deprovision(request, context);
      },
    }),
    caughtBy: [
      "ownership.other-lineage-is-not-removed",
      "ownership.unlabelled-is-not-removed",
      "ownership.pctl-1-1-is-not-removed-unasked",
      "lifecycle.deprovision-of-nothing-succeeds",
      "idempotence.deprovision-again-succeeds",
      "volumes.what-a-removal-left-goes-later",
    ],
  },
  {
    name: "close ends what it deployed",
    lie: (honest) => {
      const ends: (() => Promise<unknown>)[] = [];
      return {
        async deploy(request, context) {
          const ending = { signal: "SIGKILL", graceMs: 0, drainMs: 0 };
          ends.push(() => honest.stop({ instance: request.instance, ...ending }, context));
          return honest.deploy(request, context);
        },
        async close() {
          await Promise.allSettled(ends.map((end) => end()));
          await honest.close();
        },
      };
    },
    caughtBy: [
      "lifecycle.close-ends-nothing",
      "idempotence.another-provider-finishes-the-same",
      "blue_green.a-pause-is-kept",
      "canary.a-pause-is-kept",
    ],
  },
  {
    name: "scale forgets",
    lie: (honest) => ({ scale: (request, context) => honest.status(request, context) }),
    caughtBy: [
      "scale.more-replicas-run-when-returned",
      "scale.fewer-replicas-run-when-returned",
      "scale.to-none-and-back",
      "scale.is-on-record",
      "scale.every-replica-is-routed",
      "scale.other-resources-replace-replicas",
      "fencing.an-old-holder-scales-nothing",
    ],
  },
  {
    name: "scale forgets who scaled",
    lie: (honest) => ({
      scale: ({ scaledBy: _, ...request }, context) => honest.scale(request, context),
    }),
    caughtBy: ["scale.is-on-record"],
  },
  {
    name: "scale replaces what was there",
    lie: (honest) => ({
      async scale(request, context) {
        const { settled } = await honest.scale(request, context);
        const replicas = settled?.replicas ?? 0;
        if (replicas === 0) return honest.status(request, context);
        return honest.restart({ ...request, replicas, deployment: newId("dep") }, context);
      },
    }),
    caughtBy: [
      "scale.more-replicas-run-when-returned",
      "scale.fewer-replicas-run-when-returned",
      "scale.again-changes-nothing",
      "scale.other-resources-replace-replicas",
    ],
  },
  {
    name: "scale of nothing deploys",
    lie: (honest) => ({
      scale: (request, context) =>
        honest.scale(request, context).catch(async (error: unknown) => {
          if (!isCtrlPlaneError(error) || error.code !== "NOT_FOUND") throw error;
          const { strategy } = request.release.spec;
          return (await honest.deploy({ replicas: 1, ...request, strategy }, context)).status;
        }),
    }),
    caughtBy: ["scale.of-nothing-is-not-found"],
  },
  {
    name: "a range is its minimum",
    around: onCall<{ settled?: SettledRelease }>("settle", ({ settled, ...args }) => {
      if (settled === undefined) return args;
      const { replicas } = settled;
      return { ...args, settled: { ...settled, replicas: typeof replicas === "number" ? replicas : replicas.min } };
    }),
    caughtBy: ["scale.a-range-runs-within-it"],
  },
  {
    name: "rollback does nothing",
    lie: (honest) => ({
      rollback: async (request, context) => ({ state: "serving", status: await honest.status(request, context) }),
    }),
    caughtBy: [
      "ownership.other-lineage-is-not-rolled-back",
      "rollback.brings-the-program-back",
      "rollback.brings-the-environment-back",
      "rollback.brings-the-count-back",
      "rollback.brings-the-address-back",
      "rollback.is-on-record",
      "rollback.one-that-fails-leaves-the-newer",
      "fencing.an-old-holder-rolls-nothing-back",
    ],
  },
  {
    name: "rollback restores only the image",
    lie: (honest) => ({
      rollback(request, context) {
        const { previous, release } = request;
        if (previous === undefined || release.spec.kind === "job") return honest.rollback(request, context);
        return honest.rollback({ ...request, release: withImage(previous, release.image, release) }, context);
      },
    }),
    caughtBy: ["rollback.brings-the-environment-back", "rollback.brings-the-address-back"],
  },
  {
    name: "rollback keeps the count",
    lie: (honest) => ({
      async rollback(request, context) {
        const replicas = await countOf(honest, request.instance, context);
        return honest.rollback({ ...request, replicas: replicas ?? request.replicas }, context);
      },
    }),
    caughtBy: ["ownership.other-lineage-is-not-rolled-back", "rollback.brings-the-count-back"],
  },
  {
    name: "rollback again replaces again",
    lie: (honest) => ({
      async rollback(request, context) {
        const before = await honest.status(request, context);
        const result = await honest.rollback(request, context);
        if (before.settled?.releaseId !== request.release.id) return result;
        return { state: "serving", status: await honest.restart({ ...request, deployment: newId("dep") }, context) };
      },
    }),
    caughtBy: ["ownership.other-lineage-is-not-rolled-back", "idempotence.rollback-again-replaces-nothing"],
  },
];

async function countOf(honest: Provider, instance: InstanceIdentity, context: ProviderContext) {
  const { settled } = await honest.status({ instance }, context);
  return settled?.replicas;
}

function orNothing(error: unknown, { name, stack, service }: InstanceIdentity): InstanceStatus {
  if (!isCtrlPlaneError(error) || error.code !== "NOT_FOUND") throw error;
  const none = { labels: {}, revisions: [], addresses: [], volumes: [], observedFields: [], fields: {}, replicas: [] };
  return { ...none, name, stack, service, state: "down", stopped: false, restarts: 0 };
}

function withImage(base: Release, image: Release["image"], of: Release): Release {
  return {
    ...base,
    id: of.id,
    number: of.number,
    image,
    revision: revisionOf(base.spec, image),
    specHash: specHash(base.spec, image),
  };
}
