import type { Diagnostic, ServiceSpec } from "@ctrlplane/core/provider";

/** What the reference platform cannot do, or would ignore. It simulates services, so little is beyond it. */
export function check(spec: ServiceSpec): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const ignore = (field: string, what: string): void => {
    const isAccepted = spec.accept.some((each) => field === each || field.startsWith(`${each}.`));
    const severity = isAccepted ? "warning" : "error";
    problems.push({
      severity,
      code: "unsupported",
      field,
      summary: `the reference platform has no ${what}`,
      hint: `leave ${field} out, or accept it`,
    });
  };
  // To ignore it would mean to run the job never, or once: nobody can want that.
  if (spec.job?.schedule !== undefined)
    problems.push({
      severity: "error",
      code: "unsupported",
      field: "schedule",
      summary: "the reference platform runs nothing by a schedule",
      hint: "leave schedule out, or deploy the job elsewhere",
    });
  if (spec.tls !== undefined) ignore("tls", "certificates");
  if (spec.domains.length > 0) ignore("domains", "domains");
  if (spec.scale.gpuCount !== undefined || spec.scale.gpuType !== undefined) ignore("scale.gpu", "GPUs");
  if (spec.image.kind === "build") ignore("build", "image builds");
  if (typeof spec.scale.replicas !== "number") {
    const summary = `the reference platform has no autoscaler: ${spec.scale.replicas.min} replicas run`;
    problems.push({ severity: "warning", code: "no-autoscaler", field: "scale.replicas", summary });
  }
  return problems;
}
