import { mkdir, writeFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DeployRequest, InstanceIdentity, Provider, Release, ServiceSpec, StrategySpec } from "@ctrlplane/core/provider";
import { provider as factory } from "../index.ts";
import { daemonFile, layout, replicaFiles } from "../layout.ts";
import { readJsonFile } from "../process/json-file.ts";
import { isAlive } from "../process/identity.ts";
import { supervisorClient } from "../supervisor/client.ts";
import type { ProcessIdentity, RunRecord, ShimRecord } from "../supervisor/records.ts";
import { temporaryFolder, testContext, testIdentity, testRelease, testSpec } from "./fixtures.ts";
import type { RecordingContext } from "./fixtures.ts";

/** A `local` provider with a data folder of its own, whose processes have ended when the test has. */
export interface Workbench {
  readonly folder: string;
  readonly dir: string;
  readonly provider: Provider;
  readonly instance: InstanceIdentity;
  readonly context: RecordingContext;
  /** Writes a file of the service's folder. */
  write(name: string, text: string): Promise<void>;
  /** As the engine does it: identify, build, provision, deploy. Returns the release. */
  deploy(number: number, change?: Partial<ServiceSpec>, request?: Partial<DeployRequest>): Promise<Release>;
  prepare(number: number, change?: Partial<ServiceSpec>): Promise<Release>;
}

export async function workbench(test: TestContext, dirName = "data"): Promise<Workbench> {
  const folder = await temporaryFolder(test);
  const dir = join(folder, dirName);
  const web = join(folder, "web");
  await mkdir(web);
  const { env } = process;
  const provider = factory.create({ dir }, { name: "local", folder, env });
  // Runs before the folder is removed: what was registered last comes first.
  test.after(() => endAll(dir), { timeout: 20_000 });
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
    async deploy(number, change, request) {
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

/** Ends every process of a data folder, also after a test that failed. */
async function endAll(dir: string): Promise<void> {
  const client = supervisorClient({ dir, env: process.env, start: "never" });
  try {
    if ((await client.status()) !== undefined) await client.shutdown({ stopServices: true }, {});
  } finally {
    const daemons = [daemonFile(dir, "supervisor"), daemonFile(dir, "gateway")];
    const replicas = foldersIn(layout(dir).replicas).map(replicaFiles);
    const left = [...daemons, ...replicas.flatMap((files) => [files.shim, files.run])]
      .map((file) => readJsonFile<ProcessIdentity | ShimRecord | RunRecord>(file))
      .filter((each) => each !== undefined && isAlive(each));
    for (const each of left) if (each !== undefined) process.kill(each.pid, "SIGKILL");
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

