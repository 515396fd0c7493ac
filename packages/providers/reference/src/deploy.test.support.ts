import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  revisionOf,
  specHash,
  type DeployRequest,
  type InstanceIdentity,
  type Progress,
  type Provider,
  type ProviderContext,
  type Release,
  type RolloutDecision,
  type ServiceSpec,
  type StrategySpec,
} from "@ctrlplane/core/provider";
import { provider as factory } from "./index.ts";
import { startReferencePlatform, type RunningPlatform } from "./start-platform.ts";

export const instance: InstanceIdentity = {
  id: "inst_1",
  name: "shop-web",
  stack: "shop",
  service: "web",
  lineage: "lin_1",
  provider: "ref",
  platformId: "reference",
};

export const strategy: StrategySpec = {
  type: "rolling",
  declared: true,
  batch: { count: 1 },
  steps: [],
  pause: "manual",
  timeoutMs: 500,
  drainMs: 0,
  onFailure: "revert",
};

export function release(number: number, image: string, change: Partial<ServiceSpec> = {}): Release {
  const spec: ServiceSpec = {
    service: "web",
    kind: "service",
    image: { kind: "reference", reference: image },
    env: { GREETING: "hello" },
    secretEnv: [],
    files: [],
    scale: { replicas: 2 },
    ports: [{ containerPort: 80, hostPort: 8080, protocol: "http" }],
    domains: [],
    volumes: [],
    needs: {},
    // Most tests are not about the five seconds in which a rolling deploy waits.
    strategy: { ...strategy, type: "recreate" },
    stop: { signal: "SIGTERM", graceMs: 0 },
    protect: false,
    keep: 10,
    accept: [],
    ...change,
  };
  const pinned = { digest: `sha256:${image}`, declared: image };
  return {
    id: `rel_${number}`,
    number,
    instance,
    spec,
    image: pinned,
    revision: revisionOf(spec, pinned),
    specHash: specHash(spec, pinned),
    change: number,
    createdAt: "2026-11-22T00:00:00.000Z",
  };
}

export function contextOf(
  epoch = 1,
  signal: AbortSignal = new AbortController().signal,
  told: Progress[] = [],
): ProviderContext {
  return {
    signal,
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      sleep: (ms, stop) => sleep(ms, undefined, stop === undefined ? {} : { signal: stop }),
    },
    log: { debug: () => undefined, warn: () => undefined },
    progress: (progress) => void told.push(progress),
    fence: { stack: "shop", epoch, check: () => Promise.resolve() },
    sealer: { seal: (plain) => plain, open: (sealed) => sealed },
  };
}

export function deployOf(wanted: Release, rest: Partial<DeployRequest> = {}): DeployRequest {
  const decisions: RolloutDecision[] = [];
  const decide = (decision: RolloutDecision): Promise<void> => Promise.resolve(void decisions.push(decision));
  return {
    instance,
    release: wanted,
    replicas: wanted.spec.scale.replicas,
    strategy: wanted.spec.strategy,
    deployment: `dep_${wanted.number}`,
    journal: { decisions, decide },
    ...rest,
  };
}

export interface Bench extends AsyncDisposable {
  readonly platform: RunningPlatform;
  readonly provider: Provider;
  readonly folder: string;
}

/** A fresh platform and a provider for it, gone at the end of the test. */
export async function bench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "reference-"));
  const platform = await startReferencePlatform({ folder });
  const provider = factory.create({ socket: platform.socket }, { name: "ref", folder, env: {} });
  return {
    platform,
    provider,
    folder,
    async [Symbol.asyncDispose]() {
      await provider.close();
      await platform.stop();
      await rm(folder, { recursive: true });
    },
  };
}
