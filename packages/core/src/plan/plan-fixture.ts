import { instanceLabels, label } from "../model/labels.ts";
import { revisionOf, specHash } from "../model/hash.ts";
import { instanceId } from "../model/ids.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { PinnedImage } from "../model/image.ts";
import type { ObservedInstance, SettledRelease } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { ServiceSpec } from "../model/spec.ts";
import { actionKey, type DesiredInstance, type KnownInstance, type PlanInput } from "./input.ts";

/** Values for tests of planning: a stack `shop` on the provider `here`. */
export const lineage = "lin_test";

export function identityOf(service: string, provider = "here"): InstanceIdentity {
  const of = { lineage, stack: "shop", service, platformId: `platform-${provider}` };
  return { id: instanceId(of), name: `shop-${service}`, provider, ...of };
}

export function specOf(service: string, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    service,
    kind: "service",
    image: { kind: "path", path: `/src/${service}`, declared: `./${service}` },
    env: {},
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
      batch: { percent: 25 },
      steps: [],
      pause: { ms: 0 },
      timeoutMs: 1000,
      drainMs: 1000,
      onFailure: "revert",
    },
    stop: { signal: "SIGTERM", graceMs: 1000 },
    protect: false,
    keep: 10,
    accept: [],
    ...change,
  };
}

export function imageOf(service: string, content = "1"): PinnedImage {
  return {
    digest: `sha256:${service}${content}`,
    declared: `./${service}`,
    source: { context: `./${service}`, bytes: 1200, files: 2, how: "snapshot" },
  };
}

export function desiredOf(
  service: string,
  of: {
    spec?: Partial<ServiceSpec>;
    content?: string;
    needs?: string[];
    publishes?: string[];
    volumes?: string[];
    provider?: string;
  } = {},
): DesiredInstance {
  const spec = specOf(service, of.spec);
  const image = imageOf(service, of.content);
  return {
    instance: identityOf(service, of.provider),
    spec,
    image,
    revision: revisionOf(spec, image),
    specHash: specHash(spec, image),
    publishes: of.publishes ?? [],
    addresses: [],
    volumes: of.volumes ?? [],
    needs: of.needs ?? [],
    notes: [],
  };
}

export function settledOf(desired: DesiredInstance, change: Partial<SettledRelease> = {}): SettledRelease {
  return {
    releaseId: `rel_${desired.instance.service}`,
    number: 3,
    specHash: desired.specHash,
    replicaHash: desired.revision.replicaHash,
    generation: 0,
    deployment: "dep_3",
    replicas: desired.spec.scale.replicas,
    ...change,
  };
}

/** An instance that serves what was wanted then. */
export function observedOf(desired: DesiredInstance, change: Partial<ObservedInstance> = {}): ObservedInstance {
  const { instance, revision, spec } = desired;
  const replicas = typeof spec.scale.replicas === "number" ? spec.scale.replicas : spec.scale.replicas.min;
  return {
    name: instance.name,
    stack: "shop",
    service: instance.service,
    labels: instanceLabels(instance),
    state: "serving",
    settled: settledOf(desired),
    revisions: [{ replicaHash: revision.replicaHash, generation: 0, desired: replicas, ready: replicas, weight: 100 }],
    stopped: false,
    addresses: [],
    volumes: desired.volumes,
    observedFields: [],
    fields: {},
    restarts: 0,
    ...change,
  };
}

/** Labels of the same name in another lineage, or none. */
export function labelsOf(instance: InstanceIdentity, other: string | undefined): Record<string, string> {
  const { [label.lineage]: _, ...rest } = instanceLabels(instance);
  return other === undefined ? rest : { ...rest, [label.lineage]: other };
}

export function knownOf(desired: DesiredInstance, change: Partial<KnownInstance> = {}): KnownInstance {
  return { instance: desired.instance, releases: [1, 2, 3], observed: observedOf(desired), ...change };
}

export function inputOf(
  of: Partial<Omit<PlanInput, "known">> & { desired: readonly DesiredInstance[]; known?: readonly KnownInstance[] },
): PlanInput {
  const { known = [], ...rest } = of;
  return {
    stack: "shop",
    lineage,
    goal: "declared",
    needs: new Map(of.desired.map((each) => [each.instance.service, each.needs])),
    unreachable: new Map(),
    platforms: [],
    hosts: new Map(),
    diagnostics: [],
    remove: new Set(),
    withVolumes: false,
    adopt: false,
    leaveVolumes: false,
    atomic: false,
    now: Date.parse("2026-11-22T03:00:00Z"),
    ...rest,
    known: new Map(known.map((each) => [actionKey(each.instance), each])),
  };
}

/** A plan as lines: `kind service@provider (causes) from→release after … takes over …`. */
export function textOf(plan: Plan): string[] {
  return plan.actions.map((action) => {
    const causes = action.causes.length === 0 ? "" : ` (${action.causes.join(", ")})`;
    const release =
      action.release === undefined
        ? action.from === undefined
          ? ""
          : ` at ${action.from}`
        : ` ${action.from ?? "-"}→${action.release}`;
    const after = action.after.length === 0 ? "" : ` after ${action.after.join(" ")}`;
    const taken = action.takesOver === undefined ? "" : ` takes over ${action.takesOver.join(" ")}`;
    return `${action.kind} ${action.key}${causes}${release}${after}${taken}`;
  });
}
