import { defineProvider, fileLedger, machineProvider } from "@ctrlplane/core/provider";
import type {
  DeployRequest,
  Ledger,
  Provider,
  ProviderContext,
  ProviderEnvironment,
  ProvisionRequest,
  ProvisionResult,
  ReplicaDriver,
  RollbackRequest,
} from "@ctrlplane/core/provider";
import { addressOf } from "./address.ts";
import { cgroupSupport } from "./cgroup/support.ts";
import { check } from "./check/check.ts";
import { deprovision } from "./deprovision.ts";
import { localDriver } from "./driver.ts";
import { mapped } from "./errors.ts";
import { machineHealth, providerInfo } from "./health.ts";
import { imageStore } from "./image.ts";
import { retention } from "./kept.ts";
import { layout } from "./layout.ts";
import { listInstances } from "./list-instances.ts";
import { mountedFiles } from "./mounted-files.ts";
import { dataFolder } from "./options.ts";
import { requireOurs } from "./ownership.ts";
import { ensurePlatform } from "./platform.ts";
import { onlyIfReachable } from "./reachable.ts";
import { volumesOf } from "./replica-parts.ts";
import { runOnce } from "./run.ts";
import { snapshotStore } from "./snapshot.ts";
import { supervisorClient } from "./supervisor/client.ts";
import { readInstance } from "./supervisor/read.ts";
import { ensureMounts, mountsOf } from "./volumes.ts";

/** Supervised processes on this machine, with all that belongs to them in one data folder. `through`: for tests, what its driver passes. */
export function createLocalProvider(
  options: Readonly<Record<string, unknown>>,
  environment: ProviderEnvironment,
  through: (driver: ReplicaDriver) => ReplicaDriver = (driver) => driver,
): Provider {
  const dir = dataFolder(options, environment);
  const { env } = environment;
  const snapshots = snapshotStore(dir);
  const files = mountedFiles(dir);
  const kept = retention(dir, snapshots, files, Date.now);
  const images = imageStore(dir, snapshots, env);
  const supervisor = supervisorClient({ dir, env, start: "on-demand" });
  const parts = { dir, env, snapshots, files, limits: async () => cgroupSupport() };
  const driver = through(localDriver({ ...parts, supervisor }));
  const machines = machineProvider({
    driver,
    run: (request, context) => runOnce(parts, request, context),
    before: (instance) => requireOurs(dir, instance),
  });

  // Half-made snapshots of dead processes go with the first release that this process rolls out.
  let isPruned = false;

  /** The files of a release stay from before it is rolled out, and those of the oldest go after it. */
  const keeping = async <T>(
    { instance, release }: DeployRequest | RollbackRequest,
    work: () => Promise<T>,
  ): Promise<T> => {
    requireOurs(dir, instance);
    const serving = readInstance(dir, instance.name)?.settled?.number;
    const letGo = await mapped("the data folder", () => kept.keep(release, serving));
    const result = await work();
    // Looks at the releases of every instance: not once for each of a hundred services that let nothing go.
    if (letGo || !isPruned) {
      isPruned = true;
      await mapped("the data folder", () => kept.prune());
    }
    return result;
  };

  return defineProvider({
    type: "local",
    capabilities: [
      "provision",
      "deploy",
      "scale",
      "logs",
      "exec",
      "volumes",
      "rolling",
      "blue_green",
      "canary",
      "custom_domains",
    ],
    ...machines,
    info: () => providerInfo({ dir, env }),
    health: () => machineHealth({ dir, env }),
    check,
    address: addressOf,
    identifyImage: (request, context) => images.identify(request, context),
    async buildImage(request, context) {
      await ensurePlatform(dir);
      return mapped(request.image.declared, () => images.build(request, context));
    },
    provision: (request, context) =>
      mapped(`the volumes of ${request.instance.name}`, () => provision(dir, request, context)),
    deprovision: (request, context) =>
      mapped(request.instance.name, () => deprovision({ dir, driver, retention: kept }, request, context)),
    deploy: (request, context) => keeping(request, () => machines.deploy(request, context)),
    rollback: (request, context) => keeping(request, () => machines.rollback(request, context)),
    async status(request, context) {
      const seen = await mapped(request.instance.name, () => machines.status(request, context));
      return onlyIfReachable(dir, [seen])[0] ?? seen;
    },
    list: (selector) => mapped(dir, () => listInstances(dir, selector)),
    ledger: ledgerOf(dir, () => supervisor.warmUp()),
    close: () => Promise.resolve(),
  });
}

/** Volumes exist for as many replicas as the spec begins with; further ones come with their replica. */
async function provision(
  dir: string,
  { instance, spec }: ProvisionRequest,
  context: ProviderContext,
): Promise<ProvisionResult> {
  requireOurs(dir, instance);
  await ensurePlatform(dir);
  const { replicas } = spec.scale;
  const count = Math.max(1, typeof replicas === "number" ? replicas : replicas.min);
  for (let ordinal = 1; ordinal <= count; ordinal += 1) {
    await context.fence.check();
    await ensureMounts(dir, instance, mountsOf(dir, instance, spec.volumes, ordinal));
  }
  return { volumes: volumesOf(dir, instance, spec) };
}

/** The folder has its id before the first record lies in it. `onChange`: a change begins or is under way, and will need a supervisor. */
function ledgerOf(dir: string, onChange: () => void): Ledger {
  const ledger = fileLedger(layout(dir).ledger, "platform");
  return {
    reach: ledger.reach,
    async create(name, value, context) {
      await ensurePlatform(dir);
      onChange();
      return ledger.create(name, value, context);
    },
    read: (name, context) => ledger.read(name, context),
    list: (prefix, context) => ledger.list(prefix, context),
    swap: (name, value, version, context) => ledger.swap(name, value, version, context),
    remove: (name, version, context) => ledger.remove(name, version, context),
  };
}
