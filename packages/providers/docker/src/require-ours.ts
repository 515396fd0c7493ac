import { CtrlPlaneError, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels } from "@ctrlplane/core/provider";

/** Throws `CONFLICT` where what bears these labels belongs to another stack of that name, or to nobody we know. */
export function requireOurs(instance: InstanceIdentity, labels: Labels, what: string = instance.name): void {
  if (labels[label.lineage] === instance.lineage && labels[label.stack] === instance.stack) return;
  const stack = labels[label.stack];
  const owner =
    stack === undefined
      ? "was not made by pctl"
      : `belongs to another stack (${stack}, ${labels[label.lineage] ?? "without lineage"})`;
  throw new CtrlPlaneError("CONFLICT", `${what} ${owner}`, {
    target: what,
    hint: "Rename the stack or the service; or remove what bears that name on the host.",
  });
}
