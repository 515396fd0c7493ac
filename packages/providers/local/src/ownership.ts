import { CtrlPlaneError, label } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels } from "@ctrlplane/core/provider";
import { readInstance } from "./supervisor/read.ts";

/** Throws `CONFLICT` where what bears the instance's name in this data folder belongs to another stack of that name. */
export function requireOurs(dir: string, instance: InstanceIdentity): void {
  const found = readInstance(dir, instance.name);
  if (found !== undefined) requireLineage(found.labels, instance, instance.name);
}

/** The same for anything that carries labels; `what` names it in the error. */
export function requireLineage(labels: Labels, instance: InstanceIdentity, what: string): void {
  if (labels[label.lineage] === instance.lineage && labels[label.stack] === instance.stack) return;
  throw new CtrlPlaneError("CONFLICT", `${what} belongs to another stack${describeOwner(labels)}`, {
    target: what,
    hint: "Rename the stack or the service, or use another data folder (option `dir`).",
  });
}

function describeOwner(labels: Labels): string {
  const stack = labels[label.stack];
  return stack === undefined ? "" : ` (${stack}, ${labels[label.lineage] ?? "without lineage"})`;
}
