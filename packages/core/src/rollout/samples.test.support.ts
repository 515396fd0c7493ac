import { revisionOf, specHash } from "../model/hash.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Release } from "../model/release.ts";
import type { ServiceSpec, StrategySpec } from "../model/spec.ts";

export const instance: InstanceIdentity = {
  id: "inst_1",
  name: "shop-web",
  stack: "shop",
  service: "web",
  lineage: "lin_1",
  provider: "test",
  platformId: "platform",
};

export const rollingStrategy: StrategySpec = {
  type: "rolling",
  declared: true,
  batch: { count: 1 },
  steps: [],
  pause: "manual",
  timeoutMs: 60_000,
  drainMs: 1_000,
  onFailure: "revert",
};
export const recreateStrategy: StrategySpec = { ...rollingStrategy, type: "recreate" };

/** A release whose replicas behave as `image` says: `ok`, `crash`, `dies:MS` (ready, then ends), `never` (gets ready). */
export function release(number: number, image: string, replicas = 3, change: Partial<ServiceSpec> = {}): Release {
  const spec: ServiceSpec = {
    service: "web",
    kind: "service",
    image: { kind: "reference", reference: image },
    env: {},
    secretEnv: [],
    files: [],
    scale: { replicas },
    ports: [{ containerPort: 80, hostPort: 8080, protocol: "http" }],
    domains: [],
    volumes: [],
    needs: {},
    strategy: rollingStrategy,
    stop: { signal: "SIGTERM", graceMs: 1_000 },
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
export const canaryStrategy: StrategySpec = { ...rollingStrategy, type: "canary", steps: [5, 50], pause: "manual" };
export const blueGreenStrategy: StrategySpec = { ...rollingStrategy, type: "blue_green", pause: "manual" };
