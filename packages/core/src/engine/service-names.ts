import leven from "leven";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Stack } from "../model/stack.ts";
import type { KnownInstance } from "../plan/input.ts";
import { serviceOf } from "./known.ts";
import type { Survey } from "./survey.ts";

/** What can be named to be removed besides what is declared: what is there, and what was removed already. */
function recordedServices(stack: Stack, seen: Survey, known: ReadonlyMap<string, KnownInstance>): string[] {
  const entries = Object.keys(seen.document?.entries ?? {}).map((key) => serviceOf(key, stack.name));
  return [
    ...[...known.values()].map((each) => each.instance.service),
    ...entries.filter((service) => service !== undefined),
  ];
}

/** Throws `INVALID` for a service that neither the file nor `recorded` has. */
export function checkNames(
  stack: Stack,
  options: { readonly services?: readonly string[] },
  recorded: readonly string[] = [],
): void {
  const known = [...new Set([...Object.keys(stack.services), ...recorded])];
  for (const name of options.services ?? []) {
    if (known.includes(name)) continue;
    const [nearest] = known
      .map((other) => ({ other, distance: leven(name, other) }))
      .sort((a, b) => a.distance - b.distance);
    const guess = nearest !== undefined && nearest.distance <= 3 ? `Did you mean ${nearest.other}? ` : "";
    throw new CtrlPlaneError("INVALID", `${stack.name} has no service ${name}`, {
      target: name,
      hint: `${guess}Its services: ${known.join(", ") || "none"}.`,
    });
  }
}

/** Throws `INVALID` for a service that neither the file has, nor a platform, a ledger or the state document. */
export function checkServices(
  stack: Stack,
  seen: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  services: readonly string[],
): void {
  checkNames(stack, { services }, recordedServices(stack, seen, known));
}
