import { messageOf } from "../errors/message-of.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { bindPlatforms, requireProvider, stackScope, type Platform } from "../platforms/bind.ts";
import { makeContext } from "../platforms/core.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Provider } from "../provider/provider.ts";
import { entryName } from "../state/entry-key.ts";
import { acquireLease } from "../state/lease.ts";
import { currentHolder } from "../state/process-identity.ts";
import type { StateDocument } from "../state/store.ts";
import { identify } from "./known.ts";
import { listAll } from "./survey.ts";

interface Place {
  readonly instance: InstanceIdentity;
  readonly provider: Provider;
  readonly platform: Platform;
  readonly context: ProviderContext;
}

/**
 * Where services were before they moved, their releases and what was kept for them (images) go once as many newer ones as `keep` says are on record where
 * they are now, or once they were destroyed there. A place is asked only when that may be so, and when the file still declares it; where that fails
 * it is told, and tried again with the next change. `before`: the state document as the change found it; `specs`: what was deployed, by service.
 */
export async function leaveFormerPlaces(
  scope: ChangeScope,
  before: StateDocument | undefined,
  specs: ReadonlyMap<string, Pick<ServiceSpec, "keep">>,
  results: readonly DeploymentResult[],
): Promise<void> {
  for (const { service, provider, outcome } of results) {
    if (scope.signal.aborted) return;
    const isDestroyed = outcome === "removed" && scope.command === "destroy";
    if (outcome !== "succeeded" && !isDestroyed) continue;
    const declared = isDestroyed ? [] : (scope.stack.services[service]?.providers ?? []);
    const places = formerPlaces(scope, before, service, provider).filter((each) => !declared.includes(each));
    for (const former of places) {
      try {
        const since = isDestroyed ? Infinity : await oldestKept(scope, service, provider, specs.get(service)?.keep);
        if (since !== undefined) await underLeaseOf(scope, former, service, (place) => leave(scope, place, since));
      } catch (error) {
        const message = `what was kept of ${service} on ${former} could not be removed: ${messageOf(error)}; where ${former} is gone, take it out of the file`;
        scope.emit({ type: "diagnostic", level: "warn", service, provider: former, message });
      }
    }
  }
}

/** Names of providers that it left in an earlier change, and where its releases are still on record. */
function formerPlaces(
  { stack, platforms }: ChangeScope,
  before: StateDocument | undefined,
  service: string,
  current: string,
): readonly string[] {
  const bound = platforms.providers.get(current);
  const platformId = bound !== undefined && "platform" in bound ? bound.platform.id : undefined;
  return Object.entries(before?.entries ?? {}).flatMap(([key, entry]) => {
    const { provider, destroyed, isForgotten, instance } = entry;
    const isLeft = destroyed === true && isForgotten !== true && instance !== undefined;
    const isElsewhere = provider !== current && entry.platformId !== platformId;
    const isOwn = entryName(key) === `${stack.name}-${service}`;
    return isOwn && isLeft && isElsewhere && stack.providers[provider] !== undefined ? [provider] : [];
  });
}

/** The change of the oldest of as many releases as are to be kept, where the service is now; undefined where there are fewer. */
async function oldestKept(
  scope: ChangeScope,
  service: string,
  provider: string,
  keep: number | undefined,
): Promise<number | undefined> {
  if (keep === undefined) return undefined;
  const { ledger } = scope.platform({ provider });
  const numbers = await ledger.releases(service, scope.readContext());
  const oldest = numbers.at(-Math.max(1, keep));
  if (numbers.length < keep || oldest === undefined) return undefined;
  return (await ledger.openRelease(service, oldest, scope.readContext()))?.release.change;
}

/** Under the lease of the place: that of the change, where it has one. */
async function underLeaseOf(
  scope: ChangeScope,
  name: string,
  service: string,
  act: (place: Place) => Promise<void>,
): Promise<void> {
  const { core, stack, command } = scope;
  const own = scope.platforms.providers.get(name);
  const platforms =
    own === undefined ? await bindPlatforms(core, stack, new Set([name]), scope.readContext()) : scope.platforms;
  const { provider, platform } = requireProvider(platforms, name);
  const tenant = stack.tenant === undefined ? {} : { tenant: stack.tenant };
  const lineage = scope.draft.lineage;
  const instance = identify({
    stack: stack.name,
    lineage,
    service,
    provider: name,
    platformId: platform.id,
    ...tenant,
  });
  if (scope.platforms.platforms.has(platform.id))
    return act({ instance, provider, platform, context: scope.recordContext(platform) });
  const lease = await acquireLease({
    ledger: platform.records,
    ...stackScope(stack),
    holder: currentHolder({ command, user: core.actor.user, host: core.actor.host }),
    clock: core.clock,
    context: scope.readContext(),
    waitMs: 0,
  });
  try {
    const signal = AbortSignal.any([scope.signal, lease.lost]);
    await act({ instance, provider, platform, context: makeContext(core, { fence: lease.fence, signal }) });
  } finally {
    await lease.release();
  }
}

async function leave(
  scope: ChangeScope,
  { instance, provider, platform, context }: Place,
  since: number,
): Promise<void> {
  const { ledger } = platform;
  const { service, name, stack, lineage } = instance;
  // Somebody else's by now, or it is there again by another state file.
  if (((await ledger.lineage(context)) ?? lineage) !== lineage) return;
  const { instances } = await listAll(provider, { stack, names: [name] }, context);
  if (instances.some((each) => each.name === name && each.settled !== undefined)) return;
  const newest = (await ledger.releases(service, context)).at(-1);
  const last = newest === undefined ? undefined : await ledger.openRelease(service, newest, context);
  if (last !== undefined && last.release.change >= since) return;
  await ledger.pruneReleases(service, [], context);
  await provider.retain?.({ instance, releases: [], isElsewhere: true }, context);
  scope.draft.forgotten(instance);
}
