import { defineProvider, machineProvider } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Provider, ProviderContext, ReplicaDriver } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";
import { addressOf } from "./address.ts";
import { adopt, adoptionsOf } from "./adoption.ts";
import { check } from "./check.ts";
import { ContainerEvents } from "./container-events.ts";
import { deprovision } from "./deprovision.ts";
import { fixedParts } from "./container-body.ts";
import { dockerDriver } from "./driver.ts";
import { engineHealth, version } from "./health.ts";
import { engineImages, type ImageParts } from "./image.ts";
import { leaveImageGroups } from "./image-groups.ts";
import { keptImages } from "./kept-images.ts";
import { instanceRecords } from "./instance-records.ts";
import { requireOurs } from "./require-ours.ts";
import { volumeLedger } from "./ledger.ts";
import { listInstances } from "./list-instances.ts";
import { legacyReplicas, legacyStatus } from "./legacy-status.ts";
import { mountsOf } from "./names.ts";
import { ensureNetwork } from "./network.ts";
import { runOnce } from "./run.ts";
import { shareReads } from "./share-reads.ts";
import { startAdopted } from "./start-adopted.ts";
import { ensureMounts, volumesOf } from "./volumes.ts";

export interface DockerParts {
  readonly engine: EngineClient;
  /** Image of gateways. Default: `haproxy:lts`. */
  readonly gatewayImage?: string;
  /** Where people reach published ports: the host's name or address. */
  readonly publicHost: string;
  readonly environment: ImageParts;
  /** For tests: what its driver passes. */
  readonly through?: (driver: ReplicaDriver) => ReplicaDriver;
}

/** Containers on one Docker Engine, with all that belongs to them on that engine. */
export function createDockerProvider(parts: DockerParts): Provider {
  const { publicHost, environment, through = (driver) => driver } = parts;
  const engine = shareReads(parts.engine);
  const { gatewayImage = "haproxy:lts" } = parts;
  const events = new ContainerEvents(engine);
  const records = instanceRecords(engine);
  const kept = keptImages(engine, records);
  const images = engineImages(engine, kept, environment);
  const adoptions = adoptionsOf(engine);
  const driver = through(dockerDriver({ engine, events, records, images, adoptions, publicHost, gatewayImage }));
  const listParts = { engine, records, adoptions, publicHost };

  /** Refuses what bears the name and is another's, before anything of it is touched. */
  const requireOwn = async (instance: InstanceIdentity, context: ProviderContext): Promise<void> => {
    const { signal } = context;
    await context.fence.check();
    const found = await records.read(instance, context);
    if (found !== undefined) requireOurs(instance, found.labels);
    const adopted = await mappedEngine(instance.name, () => adoptions.read(instance, signal));
    if (adopted !== undefined) requireOurs(instance, adopted.labels);
  };
  const machines = machineProvider({
    driver,
    rangeMeans: "maximum",
    before: requireOwn,
    run: (request, context) => runOnce({ engine, adoptions, images }, request, context),
    unadopted: (instance, context) => mappedEngine(instance.name, () => legacyReplicas(listParts, instance, context)),
  });

  return defineProvider({
    type: "docker",
    capabilities: ["provision", "deploy", "scale", "logs", "exec", "volumes", "rolling", "blue_green", "canary"],
    ...machines,
    async info(context) {
      const { platformId, description } = await engineHealth(engine, publicHost, context.signal);
      return { type: "docker", version, description, platformId };
    },
    health: (context) => engineHealth(engine, publicHost, context.signal),
    check,
    address: (instance, spec) => addressOf(publicHost, instance, spec),
    fixed: fixedParts,
    identifyImage: (request, context) => images.identify(request, context),
    buildImage: (request, context) => images.build(request, context),
    async adopt(request, context) {
      const { instance } = request;
      await requireOwn(instance, context);
      await mappedEngine(instance.name, () => adopt(engine, adoptions, request, context));
    },
    async startAdopted(request, context) {
      await requireOwn(request.instance, context);
      await startAdopted({ engine, events, records, adoptions }, request, context);
      return machines.status(request, context);
    },
    retain: (request, context) => kept.retain(request, context),
    async deploy(request, context) {
      await kept.note(request.release, context);
      return machines.deploy(request, context);
    },
    async rollback(request, context) {
      await kept.note(request.release, context);
      return machines.rollback(request, context);
    },
    async provision({ instance, spec }, context) {
      await requireOwn(instance, context);
      return mappedEngine(instance.name, async () => {
        await ensureNetwork(engine, instance, context);
        const { layout, volumes = [] } = (await adoptions.read(instance, context.signal)) ?? {};
        const { replicas } = spec.scale;
        const count = Math.max(1, typeof replicas === "number" ? replicas : replicas.max);
        for (let ordinal = 1; ordinal <= count; ordinal += 1)
          await ensureMounts(engine, instance, mountsOf(instance, spec.volumes, ordinal, layout), volumes, context);
        return { volumes: volumesOf(instance, spec, layout) };
      });
    },
    deprovision: (request, context) => deprovision({ engine, records, adoptions, driver }, request, context),
    async status(request, context) {
      const { instance } = request;
      try {
        return await machines.status(request, context);
      } catch (error) {
        const legacy = await mappedEngine(instance.name, () => legacyStatus(listParts, instance, context));
        if (legacy === undefined) throw error;
        return legacy;
      }
    },
    list: (selector, context) => mappedEngine(engine.description, () => listInstances(listParts, selector, context)),
    ledger: volumeLedger(engine),
    close: () => {
      events.close();
      leaveImageGroups(engine);
      return engine.close();
    },
  });
}
