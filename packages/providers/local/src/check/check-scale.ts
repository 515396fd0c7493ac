import type { Diagnostic, ServiceSpec } from "@ctrlplane/core/provider";
import type { LocalFacts } from "../facts.ts";
import { withoutEffect } from "./finding.ts";

export function checkScale(spec: ServiceSpec, facts: LocalFacts): readonly Diagnostic[] {
  const { replicas, cpuMillis, memoryMb, diskMb, gpuType, gpuCount } = spec.scale;
  const found: Diagnostic[] = [];
  if (typeof replicas !== "number") {
    const reason = `\`local\` has no autoscaler: [${replicas.min}, ${replicas.max}] would always be ${replicas.min}`;
    found.push(withoutEffect(spec, "scale.replica", "autoscale", reason, "Write one number."));
  }
  const limits = [
    ["scale.cpu", cpuMillis, facts.limits.cpu],
    ["scale.memory", memoryMb, facts.limits.memory],
  ] as const;
  for (const [field, wanted, isPossible] of limits) {
    if (wanted === undefined || isPossible) continue;
    const why = facts.limits.reason === undefined ? "" : `: ${facts.limits.reason}`;
    found.push(
      withoutEffect(
        spec,
        field,
        "limit-impossible",
        `\`${field}\` cannot be limited here${why}`,
        "Let an administrator delegate control groups to this user.",
      ),
    );
  }
  if (diskMb !== undefined)
    found.push(withoutEffect(spec, "scale.disk", "limit-impossible", "`local` cannot limit disk space", "Remove it."));
  if (gpuType !== undefined || (gpuCount ?? 0) > 0) {
    found.push(
      withoutEffect(
        spec,
        "scale.gpu",
        "gpu",
        "`local` assigns no GPU: every process sees those of the machine",
        "Remove it.",
      ),
    );
  }
  return found;
}
