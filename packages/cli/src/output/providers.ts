import type { ProviderStatus } from "@ctrlplane/core";
import type { Paint } from "./paint.ts";
import { table } from "./table.ts";

const histories: Readonly<Record<ProviderStatus["history"], string>> = {
  platform: "on the platform",
  machine: "this machine only",
  none: "none",
};

/** The platforms of a stack; under the table what each can do, and what is wrong with it. */
export function renderProviders(providers: readonly ProviderStatus[], paint: Paint): string[] {
  const rows = providers.map((each) => [
    each.isDefault ? `${each.name} (default)` : each.name,
    each.type,
    each.problem === undefined ? paint("good", "reachable") : paint("bad", each.problem.code),
    histories[each.history],
    each.health?.description ?? each.info?.description ?? "",
  ]);
  const lines = table(["PROVIDER", "TYPE", "STATE", "HISTORY", "PLATFORM"], rows);
  for (const each of providers) {
    lines.push("", `${each.name} can: ${each.capabilities.join(" ")}`);
    if (each.problem !== undefined) lines.push(`  ${paint("bad", each.problem.code)}: ${each.problem.message}`);
    if (each.problem?.hint !== undefined) lines.push(`  ${paint("change", "help")}: ${each.problem.hint}`);
  }
  return lines;
}
