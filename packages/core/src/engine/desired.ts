import pLimit from "p-limit";
import type { ErrorCode } from "../errors/codes.ts";
import { describeDiagnostic, type Diagnostic } from "../errors/diagnostic.ts";
import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import { dependencies } from "../config/dependencies.ts";
import { wireStack, type AddressOf } from "../config/wire.ts";
import { revisionOf, specHash } from "../model/hash.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { PinnedImage } from "../model/image.ts";
import type { Revision } from "../model/release.ts";
import { volumeName, type AdoptedLayout } from "../model/names.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { Stack, StackService } from "../model/stack.ts";
import { portOf, publishedBy } from "../plan/host-ports.ts";
import { actionKey, type DesiredInstance, type KnownInstance } from "../plan/input.ts";
import { hasCapability } from "../provider/capability.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Provider } from "../provider/provider.ts";
import type { PlatformHealth, ServiceAddress } from "../provider/requests.ts";
import type { Core } from "../platforms/core.ts";
import type { Survey } from "./survey.ts";

export interface Desired {
  readonly instances: readonly DesiredInstance[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What the declaration wants, wired, checked by each provider, with every image pinned. Reads only. */
export async function desire(
  core: Core,
  stack: Stack,
  survey: Survey,
  known: ReadonlyMap<string, KnownInstance>,
  options: { readonly selection?: ReadonlySet<string>; readonly refresh: boolean },
  context: ProviderContext,
): Promise<Desired> {
  const wired = wireStack(stack, addressesOf(stack, survey, known));
  const diagnostics: Diagnostic[] = [...wired.diagnostics];
  const images = new Images(core, options.refresh, context);
  const places = { survey, known, wanted: new Set(wired.services.map((each) => `${each.name}@${each.provider}`)) };
  const limit = pLimit(8);
  const tasks = wired.services
    .filter(({ name }) => options.selection?.has(name) ?? true)
    .map(({ name, provider, service: declared }) =>
      limit(async (): Promise<DesiredInstance[]> => {
        const bound = survey.platforms.providers.get(provider);
        const identity = known.get(actionKey({ service: name, provider }))?.instance;
        const accept = stack.providers[provider]?.accept ?? [];
        const service = { ...declared, spec: { ...declared.spec, accept } };
        if (bound === undefined || identity === undefined) return [];
        const checked =
          "health" in bound
            ? [
                ...strategyProblems(service.spec, bound.provider),
                ...bound.provider
                  .check(service.spec, bound.health, identity, known.get(actionKey(identity))?.observed)
                  .filter(
                    (each) => each.takenPort === undefined || !isGivenUp(each.takenPort, service.spec, bound, places),
                  ),
              ]
            : [];
        diagnostics.push(...checked.map((each) => placed(each, name, stack)));
        if (checked.some((each) => each.severity === "error")) return [];
        try {
          const current = known.get(actionKey(identity));
          const image =
            "problem" in bound
              ? unknownImage(service.spec)
              : await images.identify(bound.provider, identity, service.spec, current);
          const notes = checked.filter((each) => each.severity !== "error").map((each) => each.summary);
          const address = bound.provider?.address(identity, service.spec);
          const fixed = bound.provider?.fixed?.(service.spec);
          return [desiredInstance(identity, service, image, address, fixed, notes, current?.observed?.adoptedLayout)];
        } catch (error) {
          if (!isCtrlPlaneError(error) || error.code === "CANCELLED") throw error;
          if (!declaredWrongly.has(error.code)) throw ofService(error, name, stack);
          diagnostics.push(...imageProblems(error, name, stack));
          return [];
        }
      }),
    );
  const instances = (await Promise.all(tasks)).flat();
  return { instances, diagnostics };
}

/** Who has the port is of this stack, and goes: the plan hands it on. */
function isGivenUp(
  port: number,
  { service, formerly }: ServiceSpec,
  { health }: { readonly health: PlatformHealth },
  places: {
    readonly survey: Survey;
    readonly known: ReadonlyMap<string, KnownInstance>;
    readonly wanted: ReadonlySet<string>;
  },
): boolean {
  return [...places.known].some(([key, { instance, observed }]) => {
    const bound = places.survey.platforms.providers.get(instance.provider);
    if (places.wanted.has(key) || bound === undefined || !("health" in bound)) return false;
    const isBefore = instance.service === service || instance.service === formerly;
    const isSameHost = health.host !== undefined && bound.health.host === health.host;
    return isBefore && isSameHost && (observed?.addresses ?? []).some((each) => portOf(each) === String(port));
  });
}

/** A strategy that the provider does not offer is refused before anything is touched. */
function strategyProblems({ strategy }: ServiceSpec, provider: Provider): Diagnostic[] {
  const { type } = strategy;
  if (type === "recreate" || hasCapability(provider.capabilities(), type)) return [];
  const offered = (["rolling", "blue_green", "canary"] as const).filter((each) =>
    hasCapability(provider.capabilities(), each),
  );
  const hint = `Use ${["recreate", ...offered].join(" or ")}.`;
  return [
    {
      severity: "error",
      code: "strategy",
      summary: `${provider.type} has no strategy ${type}`,
      field: "strategy",
      hint,
    },
  ];
}

/** Of a service with several providers the one beside whoever asks. */
function addressesOf(stack: Stack, survey: Survey, known: ReadonlyMap<string, KnownInstance>): AddressOf {
  return (service, from) => {
    const declared = stack.services[service];
    if (declared === undefined) return undefined;
    const { providers } = declared;
    const [only] = providers.length === 1 ? providers : providers.filter((each) => each === from);
    if (only === undefined)
      return {
        problem: `${service} is on ${providers.join(" and ")}, and none of them is ${from}, where it is asked for`,
      };
    const identity = known.get(actionKey({ service, provider: only }))?.instance;
    const bound = survey.platforms.providers.get(only);
    if (identity === undefined || bound?.provider === undefined) return undefined;
    return bound.provider.address(identity, declared.spec);
  };
}

function desiredInstance(
  instance: InstanceIdentity,
  service: StackService,
  image: PinnedImage,
  address: ServiceAddress | undefined,
  fixed: Revision["fixed"],
  notes: readonly string[],
  layout: AdoptedLayout | undefined,
): DesiredInstance {
  const { spec } = service;
  return {
    instance,
    spec,
    image,
    revision: revisionOf(spec, image, 0, fixed),
    specHash: specHash(spec, image),
    // What 1.1 dropped is not in its hash: an equal one would then say nothing.
    ...(service.fingerprint === undefined || service.ignoredBy11 !== undefined
      ? {}
      : { fingerprint: service.fingerprint }),
    publishes: publishedBy(spec),
    addresses: address?.published ?? [],
    volumes: volumeNames(instance, spec, layout),
    needs: dependencies(service),
    notes,
  };
}

/** Platform names of the volumes of a spec, for the replicas that it starts with. */
export function volumeNames(instance: InstanceIdentity, spec: ServiceSpec, layout?: AdoptedLayout): string[] {
  const replicas = typeof spec.scale.replicas === "number" ? spec.scale.replicas : spec.scale.replicas.min;
  const names = new Set<string>();
  let unnamed = 0;
  for (const volume of spec.volumes) {
    if (volume.external !== undefined || volume.host !== undefined) continue;
    if (volume.name !== undefined) {
      names.add(`${instance.stack}-${volume.name}`);
      continue;
    }
    for (let ordinal = 1; ordinal <= Math.max(1, replicas); ordinal += 1)
      names.add(volumeName(instance.name, ordinal, unnamed, volume.path, layout));
    unnamed += 1;
  }
  return [...names];
}

/** Stands for an image that nobody could be asked about; its action is `unreachable` anyway. */
function unknownImage(spec: ServiceSpec): PinnedImage {
  const declared =
    spec.image.kind === "path" ? spec.image.declared : spec.image.kind === "reference" ? spec.image.reference : "build";
  return { digest: "sha256:unknown", declared };
}

function placed(each: Diagnostic, service: string, stack: Stack): Diagnostic {
  const field =
    each.field === undefined || each.field === "" ? `services.${service}` : `services.${service}.${each.field}`;
  return { ...each, field, ...stack.locate(field) };
}

/** What is wrong with an image that another declaration, or a login, puts right. */
const declaredWrongly: ReadonlySet<ErrorCode> = new Set(["INVALID", "NOT_FOUND", "UNAUTHORIZED", "UNSUPPORTED"]);

/** An image could not be looked up, and whose: the same error, with the place. */
function ofService(error: CtrlPlaneError, service: string, stack: Stack): CtrlPlaneError {
  const { code, message, retryable, retryAfterMs, provider, target, hint, failure, diagnostics } = error;
  const at = placed(
    { severity: "error", code: "image", summary: `${service}: ${message}`, field: "image" },
    service,
    stack,
  );
  return new CtrlPlaneError(code, describeDiagnostic(at), {
    retryable,
    diagnostics,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(provider === undefined ? {} : { provider }),
    ...(target === undefined ? {} : { target }),
    ...(hint === undefined ? {} : { hint }),
    ...(failure === undefined ? {} : { failure }),
  });
}

function imageProblems(error: CtrlPlaneError, service: string, stack: Stack): Diagnostic[] {
  const own: Diagnostic = {
    severity: "error",
    code: "image",
    summary: error.message,
    field: "image",
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
  return (error.diagnostics.length > 0 ? error.diagnostics : [own]).map((each) => placed(each, service, stack));
}

/** What a declared reference meant when it was deployed; undefined for a service that changes, whose tag is looked up again. */
function pinnedImage(spec: ServiceSpec, known: KnownInstance | undefined): PinnedImage | undefined {
  const settled = known?.observed?.settled;
  const image = settled?.image;
  if (image === undefined || spec.image.kind !== "reference" || spec.image.reference !== image.declared)
    return undefined;
  return specHash(spec, image) === settled?.specHash ? image : undefined;
}

/** Pins images; services that name the same files are looked at once. */
class Images {
  readonly #core: Core;
  readonly #refresh: boolean;
  readonly #context: ProviderContext;
  readonly #known = new Map<string, Promise<PinnedImage>>();

  constructor(core: Core, refresh: boolean, context: ProviderContext) {
    this.#core = core;
    this.#refresh = refresh;
    this.#context = context;
  }

  identify(
    provider: Provider,
    instance: InstanceIdentity,
    spec: ServiceSpec,
    known: KnownInstance | undefined,
  ): Promise<PinnedImage> {
    const current = this.#refresh ? undefined : pinnedImage(spec, known);
    const key = JSON.stringify([instance.provider, spec.image, current?.digest]);
    const begun =
      this.#known.get(key) ??
      provider.identifyImage(
        { instance, spec, cacheDir: this.#core.cacheDir, ...(current === undefined ? {} : { current }) },
        this.#context,
      );
    this.#known.set(key, begun);
    return begun;
  }
}
