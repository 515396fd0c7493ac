import { replicaLabels } from "@ctrlplane/core/provider";
import type { AdoptedLayout, CommandSpec, HealthSpec, PortSpec, Release, ServiceSpec } from "@ctrlplane/core/provider";
import type { ContainerDetails } from "./engine-types.ts";
import { dockerLabel } from "./labels.ts";
import { envHashes, mountTexts, portTexts, type Made } from "./made.ts";
import { mountsOf, networkName, type Mount } from "./names.ts";
import { servesLabel } from "./rebuild-record.ts";

const nanosecond = 1_000_000;
const mebibyte = 1024 * 1024;

export interface ReplicaPlace {
  readonly release: Release;
  readonly ordinal: number;
  readonly deployment: string;
  /** Of what pctl 1.1 made. */
  readonly layout?: AdoptedLayout;
  /** It publishes the host's ports itself, and has the service's name: no gateway stands before it. */
  readonly isDirect: boolean;
}

/** The body of `POST /containers/create` for a replica. Pure. */
export function containerBody({
  release,
  ordinal,
  deployment,
  layout,
  isDirect,
}: ReplicaPlace): Readonly<Record<string, unknown>> {
  const { instance, revision, spec } = release;
  const mounts = mountsOf(instance, revision.volumes, ordinal, layout);
  const health = healthcheckOf(spec.health);
  // With a gateway the service's name is the gateway's.
  const hasName = isDirect || spec.ports.length === 0;
  return {
    ...programOf(release),
    Labels: {
      ...replicaLabels(instance, { ...revision, ordinal }),
      [dockerLabel.deployment]: deployment,
      [dockerLabel.release]: String(release.number),
      [dockerLabel.made]: JSON.stringify(madeBy(release, mounts, isDirect)),
      [dockerLabel.serves]: servesLabel(release, deployment),
      ...(spec.kind === "job" ? { [dockerLabel.kind]: "job" } : {}),
    },
    ExposedPorts: Object.fromEntries(revision.ports.map((port) => [portKey(port), {}])),
    ...(spec.stop.signal === undefined ? {} : { StopSignal: spec.stop.signal }),
    ...(health === undefined ? {} : { Healthcheck: health }),
    HostConfig: {
      Mounts: mounts.map(mountOf),
      PortBindings: isDirect ? bindingsOf(spec.ports) : {},
      RestartPolicy: restartPolicyOf(spec),
      // The engine's default keeps all that was ever printed.
      LogConfig: { Type: "json-file", Config: { "max-size": "20m", "max-file": "5" } },
      ...limitsOf(release),
    },
    NetworkingConfig: {
      EndpointsConfig: { [networkName(instance)]: { Aliases: hasName ? [instance.service, instance.name] : [] } },
    },
  };
}

function madeBy(release: Release, mounts: readonly Mount[], isDirect: boolean): Made {
  const { instance, revision, spec } = release;
  const { command, entrypoint } = revision;
  const { Memory, NanoCpus } = limitsOf(release);
  const isKept = (field: string): boolean => !spec.accept.some((each) => field.startsWith(each));
  return {
    v: 1,
    image: imageName(release),
    env: envHashes(revision.env),
    ...(command === undefined ? {} : { command: argumentsOf(command) }),
    ...(entrypoint === undefined || entrypoint.length === 0 ? {} : { entrypoint }),
    ...(Memory === undefined || !isKept("scale.memory") ? {} : { memory: Memory }),
    ...(NanoCpus === undefined || !isKept("scale.cpu") ? {} : { nanoCpus: NanoCpus }),
    ports: isDirect ? portTexts(bindingsOf(spec.ports)) : [],
    mounts: mountTexts(mounts),
    network: networkName(instance),
    ...(revision.files.length === 0 ? {} : { files: revision.files.map(({ path }) => path) }),
    isDirect,
  };
}

function imageName({ revision: { image } }: Pick<Release, "revision">): string {
  return image.reference ?? image.digest;
}

/** Image, command and environment: also of what runs once. */
export function programOf({ revision }: Pick<Release, "revision">): Readonly<Record<string, unknown>> {
  const { entrypoint, command, env } = revision;
  return {
    Image: imageName({ revision }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(command === undefined ? {} : { Cmd: argumentsOf(command) }),
    // An empty list means to the API that the image's own stays.
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint.length === 0 ? [""] : entrypoint }),
  };
}

export function limitsOf({ revision, spec }: Release): {
  readonly NanoCpus?: number;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly DeviceRequests?: readonly unknown[];
} {
  const { cpuMillis, memoryMb, gpuCount, gpuType } = revision.resources;
  const wants = (name: string): boolean => !spec.accept.includes(name);
  const memory = memoryMb === undefined ? undefined : memoryMb * mebibyte;
  return {
    ...(cpuMillis === undefined ? {} : { NanoCpus: cpuMillis * nanosecond }),
    // As much with swap: a limit that swap softens is none.
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    ...(gpuCount === undefined && gpuType === undefined
      ? {}
      : wants("scale.gpu")
        ? { DeviceRequests: [{ Driver: "nvidia", Count: gpuCount ?? 1, Capabilities: [["gpu"]] }] }
        : {}),
  };
}

/** True where the one replica has the host's ports itself, as in pctl 1.1; otherwise its gateway has them. */
export function publishesItself(spec: Pick<ServiceSpec, "strategy" | "scale">): boolean {
  return spec.strategy.type === "recreate" && spec.scale.replicas === 1;
}

/** What a container keeps for good besides what a revision has: the ports that it publishes itself, and the engine's own check. */
export function fixedParts(spec: ServiceSpec): Readonly<Record<string, unknown>> {
  const published = publishesItself(spec) ? spec.ports.filter((port) => port.hostPort !== undefined) : [];
  const health = spec.health?.probe.kind === "command" ? healthcheckOf(spec.health) : undefined;
  return {
    ...(published.length === 0 ? {} : { published }),
    ...(health === undefined ? {} : { health }),
  };
}

/** `3000/tcp`, as the API names a port. */
export function portKey({ containerPort, protocol }: Pick<PortSpec, "containerPort" | "protocol">): string {
  return `${containerPort}/${protocol === "udp" ? "udp" : "tcp"}`;
}

function bindingsOf(ports: readonly PortSpec[]): NonNullable<ContainerDetails["HostConfig"]["PortBindings"]> {
  const published = ports.filter((port) => port.hostPort !== undefined);
  const groups = Map.groupBy(published, portKey);
  return Object.fromEntries(
    [...groups].map(([key, group]) => [
      key,
      group.map(({ address, hostPort }) => ({ HostIp: address ?? "", HostPort: String(hostPort) })),
    ]),
  );
}

export function restartPolicyOf(spec: Pick<ServiceSpec, "kind" | "health">): { readonly Name: string } {
  const staysDown = spec.kind === "job" || spec.health?.onFailure.action === "stop";
  return { Name: staysDown ? "no" : "unless-stopped" };
}

/** A command is the engine's to run; what else is probed from outside, and the image's own check is not asked then. */
function healthcheckOf(health: HealthSpec | undefined): Readonly<Record<string, unknown>> | undefined {
  if (health === undefined) return undefined;
  const { probe, intervalMs, timeoutMs, retries, graceMs } = health;
  if (probe.kind !== "command") return { Test: ["NONE"] };
  const test = "shell" in probe.command ? ["CMD-SHELL", probe.command.shell] : ["CMD", ...probe.command.args];
  return {
    Test: test,
    Interval: intervalMs * nanosecond,
    Timeout: timeoutMs * nanosecond,
    StartPeriod: graceMs * nanosecond,
    Retries: retries,
  };
}

/** A text runs as in pctl 1.1: by the image's `sh`, with its entrypoint kept. */
export function argumentsOf(command: CommandSpec): readonly string[] {
  return "shell" in command ? ["sh", "-c", command.shell] : command.args;
}

function mountOf({ path, readOnly, host, volume }: Mount): Readonly<Record<string, unknown>> {
  const at = { Target: path, ReadOnly: readOnly };
  return host === undefined ? { Type: "volume", Source: volume?.name, ...at } : { Type: "bind", Source: host, ...at };
}
