import type { Diagnostic, ServiceSpec } from "@ctrlplane/core/provider";

/** A diagnostic that stops. `field` as in the declaration, e.g. `scale.memory`, `ports[0]`. */
export function refused(field: string, code: string, summary: string, hint: string): Diagnostic {
  return { severity: "error", code, field, summary, hint };
}

export function told(field: string, code: string, summary: string): Diagnostic {
  return { severity: "info", code, field, summary };
}

/** For a field that has no effect here: an error, or by the user's word (`accept`) a warning. */
export function withoutEffect(
  spec: ServiceSpec,
  field: string,
  code: string,
  reason: string,
  hint: string,
): Diagnostic {
  const name = field.replaceAll(/\[\d+\]/g, "");
  if (spec.accept.includes(field) || spec.accept.includes(name)) {
    return { severity: "warning", code, field, summary: `\`${name}\` is ignored: ${reason}` };
  }
  return {
    severity: "error",
    code,
    field,
    summary: reason,
    hint: `${hint} To go without it, add \`accept: [${name}]\` to the provider.`,
  };
}
