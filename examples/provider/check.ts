import type { Diagnostic, ServiceSpec } from "@ctrlplane/core/provider";

/** What files cannot do is refused, with the field: nothing is silently ignored. */
export function check(spec: ServiceSpec): readonly Diagnostic[] {
  const { replicas, memoryMb, cpuMillis, diskMb, gpuCount, gpuType } = spec.scale;
  const { strategy } = spec;
  const used: Readonly<Record<string, boolean>> = {
    kind: spec.kind === "job",
    command: spec.command !== undefined,
    entrypoint: spec.entrypoint !== undefined,
    env: Object.keys(spec.env).length > 0,
    files: spec.files.length > 0,
    ports: spec.ports.length > 0,
    domains: spec.domains.length > 0,
    tls: spec.tls !== undefined,
    health: spec.health !== undefined,
    volumes: spec.volumes.length > 0,
    strategy: strategy.declared && strategy.type !== "recreate",
    "scale.replicas": replicas !== 1,
    "scale.memory": memoryMb !== undefined,
    "scale.cpu": cpuMillis !== undefined,
    "scale.disk": diskMb !== undefined,
    "scale.gpu": gpuCount !== undefined || gpuType !== undefined,
  };
  const fields = Object.keys(used).filter((field) => used[field] === true);
  const ignored = fields.map((field): Diagnostic => {
    const isAccepted = spec.accept.some((each) => field === each || field.startsWith(`${each}.`));
    const severity = isAccepted ? "warning" : "error";
    return { severity, code: "unsupported", field, summary: "`site` publishes files, and has no use for this" };
  });
  if (spec.image.kind === "path") return ignored;
  return [...ignored, { severity: "error", code: "no-folder", field: "image", summary: "`site` publishes a folder" }];
}
