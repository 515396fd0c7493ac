import { strict as assert } from "node:assert";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TestContext } from "node:test";
import type {
  DeployRequest,
  InstanceIdentity,
  Provider,
  Release,
  ServiceSpec,
  StrategySpec,
} from "@ctrlplane/core/provider";
import { provider as factory } from "./index.ts";
import { daemonFile, layout, replicaFiles } from "./layout.ts";
import { localMachine } from "./machine.ts";
import { isAlive } from "./process/identity.ts";
import { readJsonFile } from "./process/json-file.ts";
import { namesIn } from "./supervisor/read.ts";
import type { ProcessIdentity } from "./supervisor/records.ts";
import { temporaryFolder, testContext, testIdentity, testRelease, testSpec } from "./fixtures.test.support.ts";
import type { RecordingContext } from "./fixtures.test.support.ts";

/** A `local` provider with a data folder of its own, whose processes have ended when the test has. */
export interface Workbench {
  readonly folder: string;
  readonly dir: string;
  readonly provider: Provider;
  readonly instance: InstanceIdentity;
  readonly context: RecordingContext;
  /** Writes a file of the service's folder. */
  readonly write: (name: string, text: string) => Promise<void>;
  /** As the engine does it: identify, build, provision, deploy. Returns the release. */
  readonly deploy: (
    number: number,
    change?: Partial<ServiceSpec>,
    request?: Partial<DeployRequest>,
  ) => Promise<Release>;
  /** As `deploy`, all but the last step. */
  readonly prepare: (number: number, change?: Partial<ServiceSpec>) => Promise<Release>;
}

export async function workbench(test: TestContext, dirName = "data"): Promise<Workbench> {
  const folder = await temporaryFolder(test, (base) => endAll(join(base, dirName)));
  const dir = join(folder, dirName);
  const web = join(folder, "web");
  await mkdir(web);
  const { env } = process;
  const provider = factory.create({ dir }, { name: "local", folder, env });
  const context = testContext();
  const { platformId } = await provider.info(context);
  const instance = testIdentity(platformId);

  const prepare = async (number: number, change: Partial<ServiceSpec> = {}): Promise<Release> => {
    const spec = testSpec(web, change);
    const image = await provider.identifyImage({ instance, spec, cacheDir: join(folder, "cache") }, context);
    await provider.buildImage({ instance, spec, image }, context);
    await provider.provision({ instance, spec }, context);
    return testRelease(instance, spec, image, number);
  };
  return {
    folder,
    dir,
    provider,
    instance,
    context,
    write: (name, text) => writeFile(join(web, name), text),
    prepare,
    deploy: async (number, change, request) => {
      const release = await prepare(number, change);
      const { replicas } = release.spec.scale;
      await provider.deploy(deployRequest(release, { replicas, ...request }), context);
      return release;
    },
  };
}

export function deployRequest(release: Release, change: Partial<DeployRequest> = {}): DeployRequest {
  return {
    instance: release.instance,
    release,
    replicas: release.spec.scale.replicas,
    strategy: release.spec.strategy,
    deployment: `dep_${release.number}`,
    journal: { decisions: [], decide: () => Promise.resolve() },
    ...change,
  };
}

export const rolling: StrategySpec = { ...testSpec("/").strategy, type: "rolling", batch: { percent: 100 } };

/** Ends every process of a data folder; what does not end by itself is killed, and fails the test. */
async function endAll(dir: string): Promise<void> {
  const processes = processesOf(dir);
  await localMachine({ dir, env: process.env }).stop(AbortSignal.timeout(20_000));
  const all = [...processes, ...processesOf(dir)];
  for (let waits = 0; waits < 100 && all.some((each) => isAlive(each)); waits += 1) await setTimeout(50);
  const left = all.filter((each) => isAlive(each));
  for (const { pid } of left) process.kill(pid, "SIGKILL");
  assert.deepEqual(left, [], "processes that did not end");
}

export function processesOf(dir: string): readonly ProcessIdentity[] {
  const replicas = namesIn(layout(dir).replicas).map((id) => replicaFiles(join(layout(dir).replicas, id)));
  const files = [
    daemonFile(dir, "supervisor"),
    daemonFile(dir, "gateway"),
    ...replicas.flatMap(({ shim, run }) => [shim, run]),
  ];
  return files
    .flatMap((file) => readJsonFile<ProcessIdentity>(file) ?? [])
    .map(({ pid, startTime }) => ({ pid, startTime }));
}
