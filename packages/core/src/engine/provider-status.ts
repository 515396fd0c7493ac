import { isCtrlPlaneError } from "../errors/error.ts";
import type { Stack } from "../model/stack.ts";
import type { ProviderStatus } from "../control-plane.ts";
import { readContext, type Core } from "../platforms/core.ts";

/** Every declared provider, and each that a service uses: can it be reached, what can it do. */
export async function providerStatuses(core: Core, stack: Stack): Promise<ProviderStatus[]> {
  const names = new Set([
    ...Object.keys(stack.providers),
    ...Object.values(stack.services).flatMap((service) => service.providers),
  ]);
  if (stack.defaultProvider !== undefined) names.add(stack.defaultProvider);
  return Promise.all([...names].map((name) => providerStatus(core, stack, name)));
}

async function providerStatus(core: Core, stack: Stack, name: string): Promise<ProviderStatus> {
  const declaration = stack.providers[name] ?? { name, type: name, options: {}, accept: [] };
  const base = { name, type: declaration.type, isDefault: stack.defaultProvider === name, history: "none" as const };
  try {
    const provider = await core.provider(declaration, stack.folder);
    const known = { ...base, capabilities: provider.capabilities(), history: provider.ledger?.reach ?? base.history };
    try {
      const context = readContext(core, stack.name);
      return { ...known, info: await provider.info(context), health: await provider.health(context) };
    } catch (error) {
      return { ...known, problem: problemOf(error) };
    }
  } catch (error) {
    return { ...base, capabilities: [], problem: problemOf(error) };
  }
}

function problemOf(error: unknown): NonNullable<ProviderStatus["problem"]> {
  if (!isCtrlPlaneError(error)) throw error;
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
