import { mask, type ImageSpec, type PortSpec, type ServiceSpec, type Stack } from "@ctrlplane/core";

/**
 * A stack in the words of `pctl.yaml`, as it was understood: environment merged, expressions resolved, defaults filled in.
 * Every value of an environment is masked, and of a registry the password.
 */
export function declarationOf(stack: Stack): Readonly<Record<string, unknown>> {
  const services = Object.entries(stack.services).map(
    ([
      name,
      {
        spec,
        providers: [first, ...others],
      },
    ]) => [name, { provider: others.length === 0 ? first : [first, ...others], ...serviceOf(spec) }],
  );
  const providers = Object.values(stack.providers).map((each) => [
    each.name,
    compact({ type: each.type, options: full(each.options), accept: full(each.accept) }),
  ]);
  return compact({
    name: stack.name,
    providers: full(Object.fromEntries(providers)),
    provider: stack.defaultProvider,
    services: Object.fromEntries(services),
  });
}

function serviceOf(spec: ServiceSpec): Record<string, unknown> {
  const { replicas, cpuMillis, memoryMb, diskMb, gpuType, gpuCount } = spec.scale;
  return compact({
    kind: spec.kind === "job" ? "job" : undefined,
    ...imageOf(spec.image),
    registry:
      spec.registry === undefined
        ? undefined
        : compact({ ...spec.registry, password: spec.registry.password === undefined ? undefined : mask }),
    entrypoint: spec.entrypoint,
    command: spec.command === undefined ? undefined : "shell" in spec.command ? spec.command.shell : spec.command.args,
    env: full(Object.fromEntries(Object.keys(spec.env).map((name) => [name, mask]))),
    files: full(Object.fromEntries(spec.files.map((file) => [file.path, file.source]))),
    scale: compact({
      replica: typeof replicas === "number" ? replicas : [replicas.min, replicas.max],
      cpu: cpuMillis === undefined ? undefined : `${cpuMillis}m`,
      memory: memoryMb === undefined ? undefined : `${memoryMb}Mi`,
      disk: diskMb === undefined ? undefined : `${diskMb}Mi`,
      gpu: gpuCount === undefined ? undefined : compact({ count: gpuCount, type: gpuType }),
    }),
    ports: full(spec.ports.map(portOf)),
    domains: full(spec.domains),
    tls: spec.tls === undefined ? undefined : "key" in spec.tls ? { cert: mask, key: mask } : spec.tls,
    health: healthOf(spec),
    volumes: full(
      spec.volumes.map((volume) =>
        compact({
          path: volume.path,
          name: volume.name,
          size: volume.sizeMb === undefined ? undefined : `${volume.sizeMb}Mi`,
          external: volume.external,
          host: volume.host,
          readOnly: volume.readOnly || undefined,
        }),
      ),
    ),
    needs: full(spec.needs),
    strategy: strategyOf(spec),
    stop: { signal: spec.stop.signal, grace: seconds(spec.stop.graceMs) },
    protect: spec.protect || undefined,
    formerly: spec.formerly,
    ...(spec.job === undefined ? {} : compact({ ...spec.job })),
  });
}

function imageOf(image: ImageSpec): Record<string, unknown> {
  if (image.kind === "path") return { image: image.declared };
  if (image.kind === "reference") return { image: image.reference };
  const { context, dockerfile, args, target, secrets, platform } = image.build;
  const masked = Object.fromEntries(Object.keys(args).map((name) => [name, mask]));
  return { build: compact({ context, dockerfile, args: full(masked), target, secrets: full(secrets), platform }) };
}

function portOf(port: PortSpec): Record<string, unknown> {
  return compact({ ...port, protocol: port.protocol === "auto" ? undefined : port.protocol });
}

function healthOf({ health }: ServiceSpec): Record<string, unknown> | undefined {
  if (health === undefined) return undefined;
  const { probe } = health;
  const port = probe.kind === "command" ? undefined : probe.port;
  const kind =
    probe.kind === "http"
      ? { http: probe.path }
      : probe.kind === "tcp"
        ? { tcp: true }
        : { command: "shell" in probe.command ? probe.command.shell : probe.command.args };
  const times = {
    interval: seconds(health.intervalMs),
    timeout: seconds(health.timeoutMs),
    grace: seconds(health.graceMs),
  };
  return compact({ ...kind, port, ...times, retries: health.retries, onfailure: health.onFailure.action });
}

function strategyOf({ strategy }: ServiceSpec): Record<string, unknown> {
  const batch = "count" in strategy.batch ? strategy.batch.count : `${strategy.batch.percent}%`;
  return {
    type: strategy.type,
    batch,
    timeout: seconds(strategy.timeoutMs),
    drain: seconds(strategy.drainMs),
    onfailure: strategy.onFailure,
  };
}

/** A duration as the file writes it: whole seconds as a number. */
function seconds(ms: number): number | string {
  return ms % 1000 === 0 ? ms / 1000 : `${ms}ms`;
}

/** Undefined for what is empty, so that it is left out. */
function full<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

function compact(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
