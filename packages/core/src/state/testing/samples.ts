import type { Change, ChangeResult } from "../../model/change.ts";
import { instanceId } from "../../model/ids.ts";
import { revisionOf, sha256, specHash } from "../../model/hash.ts";
import type { Release } from "../../model/release.ts";
import type { ServiceSpec } from "../../model/spec.ts";
import type { Intent } from "../intent.ts";

export function sampleSpec(changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    service: "web",
    kind: "service",
    image: { kind: "path", path: "/srv/shop/web", declared: "./web" },
    env: { PORT: "3000" },
    secretEnv: [],
    files: [],
    scale: { replicas: 1 },
    ports: [],
    domains: [],
    volumes: [],
    needs: {},
    strategy: {
      type: "recreate",
      declared: false,
      batch: { count: 1 },
      steps: [],
      pause: "manual",
      timeoutMs: 120_000,
      drainMs: 30_000,
      onFailure: "revert",
    },
    stop: { signal: "SIGTERM", graceMs: 30_000 },
    protect: false,
    keep: 10,
    accept: [],
    ...changes,
  };
}

export function sampleRelease(changes: { number?: number; id?: string; spec?: Partial<ServiceSpec> } = {}): Release {
  const spec = sampleSpec(changes.spec);
  const image = { digest: `sha256:${sha256("web")}`, declared: "./web" };
  const of = { lineage: "lin_1", stack: "shop", service: spec.service, platformId: "local_1" };
  return {
    id: changes.id ?? `rel_${spec.service}_${changes.number ?? 1}`,
    number: changes.number ?? 1,
    instance: { ...of, id: instanceId(of), name: `shop-${spec.service}`, provider: "local" },
    spec,
    image,
    revision: revisionOf(spec, image),
    specHash: specHash(spec, image),
    change: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
  };
}

export function sampleChange(number: number): Change {
  return {
    number,
    command: "deploy",
    stack: "shop",
    by: "ana",
    host: "laptop",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
}

export const sampleResult: ChangeResult = {
  outcome: "succeeded",
  exitCode: 0,
  elapsedMs: 1_200,
  services: [],
  diagnostics: [],
  addresses: ["http://127.0.0.1:8080"],
};

export function sampleIntent(changes: Partial<Intent> = {}): Intent {
  return {
    deployment: "dep_1",
    change: 1,
    service: "web",
    instance: "inst_1",
    command: "deploy",
    to: 1,
    strategy: "rolling",
    replicas: 2,
    epoch: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    decisions: [],
    ...changes,
  };
}
