import { resolve } from "node:path";
import type { InstanceStatus, Stack, StackStatus } from "@ctrlplane/core";

/** Providers of type `local` on which something of this stack should run, and whose supervisor does not. */
export async function unwatchedProviders(stack: Stack, { services }: StackStatus): Promise<ReadonlySet<string>> {
  const shouldRun = services.filter(({ status }) => status !== undefined && !status.stopped && !hasEnded(status));
  const names = [...new Set(shouldRun.map((each) => each.provider))].filter(
    (name) => (stack.providers[name]?.type ?? name) === "local",
  );
  const isUnwatched = await Promise.all(names.map(async (name) => !(await hasSupervisor(stack, name))));
  return new Set(names.filter((_, index) => isUnwatched[index]));
}

/** A job that nobody has to look after. */
function hasEnded({ state, schedule }: InstanceStatus): boolean {
  return schedule === undefined && (state === "completed" || state === "failed");
}

async function hasSupervisor(stack: Stack, provider: string): Promise<boolean> {
  const { localMachine } = await import("@ctrlplane/provider-local");
  const dir = stack.providers[provider]?.options["dir"];
  const declared = typeof dir === "string" ? { dir: dir.startsWith("~") ? dir : resolve(stack.folder, dir) } : {};
  const { supervisor } = await localMachine({ env: process.env, ...declared }).status();
  return supervisor !== undefined;
}
