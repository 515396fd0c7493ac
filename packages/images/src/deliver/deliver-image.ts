import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { buildImage, type BuildOptions } from "../build/build-image.ts";
import { findBuilt, localTag } from "../build/built-image.ts";
import type { BuildProgress } from "../build/progress.ts";
import { carryImage, type CarriedImage, type CarryProgress } from "../carry/carry-image.ts";
import type { BuildContext } from "../context/read-context.ts";
import type { EngineClient } from "../engine/client.ts";
import { mapEngineError } from "../engine/errors.ts";
import { ensureImage, registryDigest } from "../registry/identify.ts";
import { tagImage } from "../registry/repository.ts";
import { pushImage } from "../registry/transfer.ts";
import type { TransferProgress } from "../registry/transfer-progress.ts";
import { onFirst, type ImageGroup } from "./image-group.ts";

/** How an image comes to an engine, as it happens. */
export type DeliveryProgress =
  | BuildProgress
  /** `name` goes to its registry, or comes from there. */
  | ({ readonly kind: "push" | "pull"; readonly name: string } & TransferProgress)
  /** It travels from another engine, which `from` describes. */
  | ({ readonly kind: "carry"; readonly from: string } & CarryProgress)
  /** It has come from there: what travelled of it. */
  | ({ readonly kind: "carried"; readonly from: string } & Pick<CarriedImage, "bytes" | "sharedLayers">);

export interface DeliverOptions extends Omit<BuildOptions, "onProgress"> {
  /** Where else it may be, or be built. The engine itself may be in it. */
  readonly group: ImageGroup;
  /** Name without a tag under which it is kept in a registry, e.g. `registry.example.com/shop`. Default: it travels between engines. */
  readonly repository?: string;
  /** What is done once for several engines is told by the one that does it. */
  readonly onProgress?: (progress: DeliveryProgress) => void;
}

/** How long others may take to say whether they have an image. */
const askMs = 10_000;

/**
 * The engine has the image of this content. It is built once for all engines of the group that are of one kind, on the first of those that
 * expect it and can be reached, and only where none of the group has it. Without a repository it is carried to the others; with one it is pushed, unless the registry has it, and each engine
 * pulls it by its digest. Returns the name by which this engine runs exactly this image.
 * @throws what `buildImage`, `carryImage`, `pushImage` and `pullImage` throw.
 */
export async function deliverImage(
  engine: EngineClient,
  context: BuildContext,
  options: DeliverOptions,
): Promise<string> {
  try {
    const platform = context.source.platform ?? (await platformOf(engine));
    const { repository } = options;
    return repository === undefined
      ? await bring(engine, context, platform, options)
      : await pass(engine, context, platform, { ...options, repository });
  } catch (error) {
    throw mapEngineError(error, `the image of ${context.source.declared}`);
  }
}

/** From engine to engine. */
async function bring(
  engine: EngineClient,
  context: BuildContext,
  platform: string,
  options: DeliverOptions,
): Promise<string> {
  const { group, signal, onProgress } = options;
  const { digest } = context;
  const tag = localTag(digest);
  if ((await findBuilt(engine, digest, signal)) !== undefined) return tag;
  const holder = await group.once(`${digest} ${platform}`, signal, async (shared) => {
    const found = await findHolder(engine, context, platform, group, shared);
    if (found !== undefined) return found;
    const build = (each: EngineClient) => buildImage(each, context, { ...options, signal: shared });
    return (await onFirst(await builders(engine, context, platform, group), build)).engine;
  });
  if (holder === engine) return tag;
  const from = holder.description;
  const tell = (each: CarryProgress): void => onProgress?.({ kind: "carry", from, ...each });
  await group.once(`${digest} to ${engine.description}`, signal, async (shared) => {
    const { bytes, sharedLayers } = await carryImage(holder, engine, tag, { signal: shared, onProgress: tell });
    onProgress?.({ kind: "carried", from, bytes, sharedLayers });
  });
  return tag;
}

/** Engines that may build it: always the same one first, for its cache of steps. */
async function builders(
  engine: EngineClient,
  { digest, source }: BuildContext,
  platform: string,
  group: ImageGroup,
): Promise<readonly EngineClient[]> {
  const expecting = group.expecting(digest, engine);
  if (source.platform !== undefined) return expecting;
  const fits = await Promise.all(expecting.map((each) => isOf(each, platform)));
  return expecting.filter((_, index) => fits[index]);
}

/** False where it does not answer. */
async function isOf(engine: EngineClient, platform: string): Promise<boolean> {
  try {
    return (await platformOf(engine)) === platform;
  } catch (error) {
    if (isCtrlPlaneError(error)) return false;
    throw error;
  }
}

/** Another engine of the group that has it. */
async function findHolder(
  engine: EngineClient,
  { digest, source }: BuildContext,
  platform: string,
  { engines }: ImageGroup,
  signal: AbortSignal,
): Promise<EngineClient | undefined> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(askMs)]);
  const found = await Promise.all(
    [...engines].map(async (other) => {
      if (other === engine) return undefined;
      try {
        if (source.platform === undefined && !(await isOf(other, platform))) return undefined;
        return (await findBuilt(other, digest, within)) === undefined ? undefined : other;
      } catch (error) {
        if (signal.aborted) throw error;
        // One that cannot be asked has nothing to give.
        return undefined;
      }
    }),
  );
  return found.find((each) => each !== undefined);
}

/** By way of a registry. */
async function pass(
  engine: EngineClient,
  context: BuildContext,
  platform: string,
  options: DeliverOptions & { readonly repository: string },
): Promise<string> {
  const { group, repository, signal, onProgress, ...rest } = options;
  const name = `${repository}:${registryTag(context, platform)}`;
  const login = rest.login === undefined ? {} : { login: rest.login };
  const tell =
    (kind: "push" | "pull") =>
    (each: TransferProgress): void =>
      onProgress?.({ kind, name, ...each });
  const digest = await group.once(`${name} ${platform}`, signal, async (shared) => {
    const transfer = { ...login, signal: shared };
    const known = await knownDigest(engine, name, transfer);
    if (known !== undefined) return known;
    const own = onProgress === undefined ? {} : { onProgress };
    const make = async (each: EngineClient): Promise<string> => {
      const image = await buildImage(each, context, { ...rest, ...own, signal: shared });
      await tagImage(each, image.id, name, shared);
      return pushImage(each, name, { ...transfer, onProgress: tell("push") });
    };
    return (await onFirst(await builders(engine, context, platform, group), make)).result;
  });
  const reference = `${repository}@${digest}`;
  const image = { declared: name, reference };
  const id = await ensureImage(engine, image, { ...login, ...aborting(signal), onProgress: tell("pull") });
  // Under its digest alone it would pass for what nobody needs: `docker image prune` takes that.
  await tagImage(engine, id, name, signal);
  return reference;
}

/** Undefined where the registry does not say: who may not look may still push, and is told then. */
async function knownDigest(
  engine: EngineClient,
  name: string,
  options: Pick<DeliverOptions, "login"> & { readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    return await registryDigest(engine, name, options);
  } catch (error) {
    if (isCtrlPlaneError(error) && ["NOT_FOUND", "UNAUTHORIZED", "FORBIDDEN"].includes(error.code)) return undefined;
    throw error;
  }
}

/** One name for each kind of engine; the content's hash tells only a platform that was declared. */
function registryTag({ digest, source }: BuildContext, platform: string): string {
  const hash = digest.replace(/^sha256:/, "");
  return source.platform !== undefined || platform === "linux/amd64"
    ? hash
    : `${hash}-${platform.replaceAll("/", "-")}`;
}

async function platformOf(engine: EngineClient): Promise<string> {
  const { os, arch } = await engine.version();
  return `${os}/${arch}`;
}

function aborting(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
