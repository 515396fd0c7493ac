import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { ProviderDeclaration, Stack } from "../model/stack.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import type { Provider } from "../provider/provider.ts";
import type { PlatformHealth } from "../provider/requests.ts";
import { StackLedger } from "../state/stack-ledger.ts";
import type { StackScope } from "../state/record-names.ts";
import type { Core } from "./core.ts";

/** A provider that this stack uses, guarded, and what is behind it. */
export type BoundProvider =
  | { readonly name: string; readonly provider: Provider; readonly platform: Platform; readonly health: PlatformHealth }
  | { readonly name: string; readonly provider: Provider | undefined; readonly problem: CtrlPlaneError };

/** A place with one lease and one ledger; several provider names may mean it. */
export interface Platform {
  readonly id: string;
  readonly ledger: StackLedger;
  readonly records: Ledger;
}

export interface Platforms {
  readonly providers: ReadonlyMap<string, BoundProvider>;
  /** By id, in the order in which leases are taken. */
  readonly platforms: ReadonlyMap<string, Platform>;
}

/** Whose records a stack's are. */
export function stackScope(stack: Stack): StackScope {
  return { stack: stack.name, ...(stack.tenant === undefined ? {} : { tenant: stack.tenant }) };
}

/** The provider and its platform, or the reason why there is none. */
export function requireProvider(platforms: Platforms, name: string): Extract<BoundProvider, { platform: Platform }> {
  const bound = platforms.providers.get(name);
  if (bound === undefined) throw new CtrlPlaneError("NOT_FOUND", `no provider is named ${name}`, { provider: name });
  if ("problem" in bound) throw bound.problem;
  return bound;
}

/** Makes the providers with these names and asks each for its platform; one that cannot be reached is bound with its problem. */
export async function bindPlatforms(
  core: Core,
  stack: Stack,
  names: ReadonlySet<string>,
  context: ProviderContext,
): Promise<Platforms> {
  const bound = await Promise.all([...names].map((name) => probe(core, stack, name, context)));
  const platforms = new Map<string, Platform>();
  const providers = new Map<string, BoundProvider>();
  for (const each of bound) {
    if ("problem" in each) {
      providers.set(each.name, each);
      continue;
    }
    const id = each.health.platformId;
    const platform = platforms.get(id) ?? makePlatform(core, stack, id, each.provider);
    platforms.set(id, platform);
    providers.set(each.name, { ...each, platform });
  }
  const sorted = [...platforms].sort(([a], [b]) => (a < b ? -1 : 1));
  return { providers, platforms: new Map(sorted) };
}

function makePlatform(core: Core, stack: Stack, id: string, provider: Provider): Platform {
  const records = provider.ledger ?? core.fallbackLedger(id);
  return { id, records, ledger: new StackLedger(records, stackScope(stack), core.sealer) };
}

async function probe(
  core: Core,
  stack: Stack,
  name: string,
  context: ProviderContext,
): Promise<
  | { name: string; provider: Provider; health: PlatformHealth }
  | { name: string; provider: Provider | undefined; problem: CtrlPlaneError }
> {
  let provider: Provider | undefined;
  try {
    provider = await core.provider(declarationOf(stack, name), stack.folder);
    const health = await provider.health(context);
    return { name, provider, health };
  } catch (error) {
    if (isCtrlPlaneError(error) && error.code !== "CANCELLED" && error.code !== "INVALID")
      return { name, provider, problem: error };
    throw error;
  }
}

function declarationOf(stack: Stack, name: string): ProviderDeclaration {
  return stack.providers[name] ?? { name, type: name, options: {}, accept: [] };
}
