import { CtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import { instanceId } from "../model/ids.ts";
import { instanceName } from "../model/names.ts";
import type { ObservedInstance, Remains } from "../model/observed.ts";
import type { Stack } from "../model/stack.ts";
import { actionKey, type KnownInstance, type UnfinishedDeployment } from "../plan/input.ts";
import { judgeOwnership } from "../plan/ownership.ts";
import type { Intent } from "../state/intent.ts";
import { pauseOf } from "../rollout/stages.ts";
import type { ReleaseNumbers } from "../state/release-records.ts";
import { entryKey, entryName } from "../state/entry-key.ts";
import type { StateEntry } from "../state/store.ts";
import type { PlatformSurvey, Survey } from "./survey.ts";

/** Who an instance is; `platformId` stands for an unreachable platform by its provider's name. */
export function identify(of: Omit<InstanceIdentity, "id" | "name">): InstanceIdentity {
  return { id: instanceId(of), name: instanceName(of.stack, of.service), ...of };
}

/** Every instance that is declared, recorded or seen, with all that is known of it, by `actionKey`. */
export function knownInstances(stack: Stack, survey: Survey): Map<string, KnownInstance> {
  const known = new Map<string, KnownInstance>();
  const covered = new Set<string>();
  const seen = new Map([...survey.surveys].map(([id, at]) => [id, indexOf(at)]));
  const add = (service: string, provider: string): void => {
    const one = knownInstance(stack, survey, seen, service, provider);
    known.set(actionKey(one.instance), one);
    covered.add(placeKey(service, one.instance.platformId));
  };
  for (const [name, service] of Object.entries(stack.services))
    for (const provider of service.providers) add(name, provider);
  for (const [key, entry] of Object.entries(survey.document?.entries ?? {})) {
    const service = serviceOf(key, stack.name);
    if (
      service === undefined ||
      entry.destroyed === true ||
      known.has(actionKey({ service, provider: entry.provider }))
    )
      continue;
    // Another name of a provider that means the same platform is the same instance.
    const platformId = platformBehind(survey, entry);
    if (platformId === undefined || !covered.has(placeKey(service, platformId))) add(service, entry.provider);
  }
  for (const each of survey.surveys.values()) {
    const services = new Set([
      ...each.observed.filter((instance) => instance.stack === stack.name).map((instance) => instance.service),
      ...each.intents.map((intent) => intent.service),
      ...each.remains.map((left) => left.service),
    ]);
    for (const service of services) {
      if (!covered.has(placeKey(service, each.platform.id))) add(service, providerFor(survey, each));
    }
  }
  return known;
}

/** `{stack}-{service}` or `{stack}-{service}@{provider}`. */
export function serviceOf(key: string, stack: string): string | undefined {
  const name = entryName(key);
  return name.startsWith(`${stack}-`) ? name.slice(stack.length + 1) : undefined;
}

function placeKey(service: string, platformId: string): string {
  return `${service}@${platformId}`;
}

/** What a platform says, by what it is asked for: a stack of thousands of services is looked through once. */
interface SurveyIndex {
  readonly observed: ReadonlyMap<string, ObservedInstance>;
  readonly remains: ReadonlyMap<string, Remains>;
  readonly intents: ReadonlyMap<string, Intent>;
  readonly releases: ReleaseNumbers;
}

function indexOf({ observed, remains, intents, releases }: PlatformSurvey): SurveyIndex {
  return {
    observed: new Map(observed.map((each) => [each.name, each])),
    remains: new Map(remains.map((each) => [each.name, each])),
    intents: new Map(intents.map((each) => [each.service, each])),
    releases,
  };
}

/** Where an entry's instance is: as its provider says now, else as it was recorded. */
function platformBehind(survey: Survey, entry: StateEntry): string | undefined {
  const bound = survey.platforms.providers.get(entry.provider);
  return bound !== undefined && "platform" in bound ? bound.platform.id : entry.platformId;
}

/** One that nothing declares or records any more, by what the ledger of a platform says of it. */
export function formerInstance(stack: Stack, survey: Survey, service: string, platformId: string): KnownInstance {
  const at = survey.surveys.get(platformId);
  const seen = new Map(at === undefined ? [] : [[platformId, indexOf(at)]]);
  return knownInstance(stack, survey, seen, service, at === undefined ? platformId : providerFor(survey, at));
}

/** Throws where what has its name is another stack's, or its platform cannot be asked. */
export function refuseUntouchable({ instance, observed }: KnownInstance, survey: Survey): void {
  const bound = survey.platforms.providers.get(instance.provider);
  if (bound !== undefined && "problem" in bound) throw bound.problem;
  if (observed === undefined) return;
  const { stack, name } = instance;
  if (judgeOwnership(observed.labels, { stack, name, lineage: survey.lineage }) !== "foreign") return;
  throw new CtrlPlaneError("CONFLICT", `${name} on ${instance.provider} is not of this stack, and is not touched`, {
    target: name,
    hint: "Name the stack or the service otherwise, or remove the other one.",
  });
}

/** A provider name that means the platform. */
function providerFor(survey: Survey, at: PlatformSurvey): string {
  const names = [...survey.platforms.providers]
    .filter(([, bound]) => "platform" in bound && bound.platform === at.platform)
    .map(([name]) => name);
  return names[0] ?? at.platform.id;
}

function knownInstance(
  stack: Stack,
  survey: Survey,
  seen: ReadonlyMap<string, SurveyIndex>,
  service: string,
  provider: string,
): KnownInstance {
  const bound = survey.platforms.providers.get(provider);
  const platformId = bound !== undefined && "platform" in bound ? bound.platform.id : provider;
  const tenant = stack.tenant === undefined ? {} : { tenant: stack.tenant };
  const instance = identify({ stack: stack.name, lineage: survey.lineage, service, provider, platformId, ...tenant });
  const at = seen.get(platformId);
  const observed = at?.observed.get(instance.name);
  const remains = observed === undefined ? at?.remains.get(instance.name) : undefined;
  const intent = at?.intents.get(service);
  const entry = findEntry(survey, instance);
  return {
    instance,
    ...(observed === undefined ? {} : { observed }),
    ...(remains === undefined ? {} : { remains }),
    ...(entry === undefined ? {} : { entry }),
    ...(intent === undefined ? {} : { unfinished: unfinished(intent) }),
    releases: at?.releases.of(service) ?? [],
  };
}

function findEntry(survey: Survey, instance: InstanceIdentity): StateEntry | undefined {
  const entries = survey.document?.entries ?? {};
  const entry = entries[`${entryKey(instance)}@${instance.provider}`] ?? entries[entryKey(instance)];
  if (entry === undefined) return undefined;
  const isSame = entry.provider === instance.provider || platformBehind(survey, entry) === instance.platformId;
  return isSame ? entry : undefined;
}

function unfinished(intent: Intent): UnfinishedDeployment {
  const pause = pauseOf(intent.decisions);
  return {
    service: intent.service,
    deployment: intent.deployment,
    change: intent.change,
    ...(intent.from === undefined ? {} : { from: intent.from }),
    ...(intent.to === undefined ? {} : { to: intent.to }),
    isJob: intent.isJob === true,
    isReverting: intent.decisions.some((decision) => decision.kind === "revert" || decision.kind === "abort"),
    isStaged: intent.decisions.some((decision) => decision.kind === "pause"),
    ...(pause === undefined ? {} : { pause }),
  };
}
