import type { Change } from "../model/change.ts";
import type { ObservedInstance, Remains } from "../model/observed.ts";
import type { Stack } from "../model/stack.ts";
import { instanceName } from "../model/names.ts";
import type { Fence, ProviderContext } from "../provider/context.ts";
import type { Provider } from "../provider/provider.ts";
import type { InstancePage, ListSelector } from "../provider/requests.ts";
import type { Intent } from "../state/intent.ts";
import type { ReleaseNumbers } from "../state/release-records.ts";
import type { StateDocument } from "../state/store.ts";
import type { Core } from "../platforms/core.ts";
import { resolveLineage } from "./lineage.ts";
import { bindPlatforms, type Platform, type Platforms } from "../platforms/bind.ts";
import { withRecordedProviders } from "../platforms/recorded-providers.ts";

/** What one platform says of a stack: one pass of list calls, no call per service. */
export interface PlatformSurvey {
  readonly platform: Platform;
  readonly observed: readonly ObservedInstance[];
  /** Of what was removed. */
  readonly remains: readonly Remains[];
  readonly intents: readonly Intent[];
  /** Release numbers by service. */
  readonly releases: ReleaseNumbers;
  readonly lineage: string | undefined;
  /** As it was begun. */
  readonly lastChange: Change | undefined;
}

/** Everything that was seen and read of a stack, before anything is decided. */
export interface Survey {
  readonly platforms: Platforms;
  readonly surveys: ReadonlyMap<string, PlatformSurvey>;
  /** Its entries bear the names of the stack's providers (`recordedProvider`). */
  readonly document: StateDocument | undefined;
  /** The document as it is stored. */
  readonly stored: StateDocument | undefined;
  readonly lineage: string;
  /** As it was begun. */
  readonly lastChange: Change | undefined;
}

/** `fenceOf`: of the lease under which a platform is looked at. What its holder reads is known to it for as long as the lease holds. */
export interface SurveyContext extends ProviderContext {
  readonly fenceOf?: (platformId: string) => Fence | undefined;
}

/** Observes a stack: its providers, those that its state names and `also` these, their instances and records. `refresh`: all that can be told of them. Reads only. */
export async function survey(
  core: Core,
  declared: Stack,
  { fenceOf, ...context }: SurveyContext,
  { also = [], refresh = false }: { readonly also?: readonly string[]; readonly refresh?: boolean } = {},
): Promise<Survey> {
  const stored = await core.store.read(declared.name);
  const { stack, document } = withRecordedProviders(declared, stored);
  const names = new Set(Object.values(stack.services).flatMap((service) => service.providers));
  for (const name of [...also, ...(document?.pending ?? [])]) names.add(name);
  for (const entry of Object.values(document?.entries ?? {})) if (entry.destroyed !== true) names.add(entry.provider);
  if (names.size === 0 && stack.defaultProvider !== undefined) names.add(stack.defaultProvider);
  if (names.size === 0) for (const name of Object.keys(stack.providers)) names.add(name);
  const platforms = await bindPlatforms(core, stack, names, context);
  const bound = [...platforms.platforms.values()];
  const found = await Promise.all(
    bound.map((platform) => {
      const fence = fenceOf?.(platform.id) ?? context.fence;
      return surveyPlatform(stack, platform, providerOf(platforms, platform), refresh, { ...context, fence });
    }),
  );
  const lineage = resolveLineage({
    stack,
    host: core.actor.host,
    document,
    ledgers: found.map((each) => each.lineage),
    observed: found.flatMap((each) => each.observed.filter((instance) => instance.stack === stack.name)),
  });
  return {
    platforms,
    surveys: new Map(found.map((each) => [each.platform.id, each])),
    document,
    stored,
    lineage,
    lastChange: newestChange(found.flatMap((each) => each.lastChange ?? [])),
  };
}

/** Each platform of a stack knows its own changes; their numbers are the stack's. */
export function newestChange(changes: readonly Change[]): Change | undefined {
  return changes.toSorted((a, b) => b.number - a.number)[0];
}

function providerOf(platforms: Platforms, platform: Platform): Provider {
  for (const bound of platforms.providers.values()) {
    if ("platform" in bound && bound.platform === platform) return bound.provider;
  }
  throw new Error(`platform ${platform.id} has no provider`);
}

async function surveyPlatform(
  stack: Stack,
  platform: Platform,
  provider: Provider,
  refresh: boolean,
  context: ProviderContext,
): Promise<PlatformSurvey> {
  const names = Object.keys(stack.services).map((service) => instanceName(stack.name, service));
  const [{ instances: observed, remains }, intents, releases, lineage, lastChange] = await Promise.all([
    listAll(provider, { stack: stack.name, names, ...(refresh ? { refresh } : {}) }, context),
    platform.ledger.intents(context),
    platform.ledger.allReleases(context),
    platform.ledger.lineage(context),
    platform.ledger.lastChange(context),
  ]);
  return { platform, observed, remains, intents, releases, lineage, lastChange };
}

/** All pages of a list. */
export async function listAll(
  provider: Provider,
  selector: Omit<ListSelector, "cursor">,
  context: ProviderContext,
): Promise<Required<Omit<InstancePage, "cursor">>> {
  const instances: ObservedInstance[] = [];
  const remains: Remains[] = [];
  let cursor: string | undefined;
  do {
    const page = await provider.list({ ...selector, ...(cursor === undefined ? {} : { cursor }) }, context);
    instances.push(...page.instances);
    remains.push(...(page.remains ?? []));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { instances, remains };
}
