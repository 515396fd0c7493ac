import { CtrlPlaneError, type PinnedImage } from "@ctrlplane/core/provider";
import { isLocalTag } from "../build/built-image.ts";
import { segment, type EngineClient } from "../engine/client.ts";
import { unlessMissing, mapEngineError } from "../engine/errors.ts";
import { mapRegistryError } from "./errors.ts";
import { completeReference, familiarName, parseReference, type ImageReference } from "./reference.ts";
import { pullImage, withLogin, type TransferOptions } from "./transfer.ts";

/** What the engine knows of an image that it has. */
interface LocalImage {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
}

/**
 * Pins an image by its name, without fetching it: the digest in the name, else that under which the engine has it, else its id on the
 * engine (an image that no registry knows), else what its registry says. `reference` of the result names exactly this image to the engine.
 * @throws `INVALID` where there is no such image or no such name, `UNAUTHORIZED`, `UNAVAILABLE` where the registry cannot be asked.
 */
export async function identifyImage(
  engine: EngineClient,
  declared: string,
  options: Pick<TransferOptions, "login" | "signal"> = {},
): Promise<PinnedImage> {
  const { signal } = options;
  const parsed = parseReference(declared);
  if (parsed.digest !== undefined) return pinned(declared, parsed, parsed.digest);
  const local = await findLocal(engine, declared, signal);
  if (local === undefined) {
    const digest = await registryDigest(engine, declared, options).catch((error: unknown) => {
      throw asInvalid(error, declared);
    });
    return pinned(declared, parsed, digest);
  }
  const digest = repoDigest(local, parsed);
  if (digest !== undefined) return pinned(declared, parsed, digest);
  return { digest: local.Id, declared, reference: local.Id };
}

/**
 * The digest by which its registry knows an image, a name without one (`latest` where it has no tag), asked by the engine.
 * @throws `NOT_FOUND` where it knows none, `UNAUTHORIZED`, `UNAVAILABLE`.
 */
export async function registryDigest(
  engine: EngineClient,
  reference: string,
  { login, signal }: Pick<TransferOptions, "login" | "signal">,
): Promise<string> {
  const parsed = parseReference(reference);
  const path = `/distribution/${segment(withTag(parsed))}/json`;
  return withLogin(parsed.domain, login, async (headers) => {
    try {
      const request = { method: "GET", path, headers, ...(signal === undefined ? {} : { signal }) } as const;
      const found = await engine.json<{ readonly Descriptor: { readonly digest: string } }>(request);
      return found.Descriptor.digest;
    } catch (error) {
      throw mapRegistryError(error, `looking up ${reference}`, "IMAGE_PULL");
    }
  });
}

/**
 * The engine has the pinned image: it is fetched where it is missing. Returns its id on the engine.
 * @throws as `pullImage`; `NOT_FOUND` where no registry knows it and it is gone.
 */
export async function ensureImage(
  engine: EngineClient,
  image: Pick<PinnedImage, "declared" | "reference">,
  options: TransferOptions & { readonly platform?: string } = {},
): Promise<string> {
  const { declared, reference = declared } = image;
  const there = await findLocal(engine, reference, options.signal);
  if (there !== undefined) return there.Id;
  if (reference.startsWith("sha256:") || isLocalTag(reference)) {
    throw new CtrlPlaneError("NOT_FOUND", `the image ${declared} is not on ${engine.description} any more`, {
      target: declared,
      hint: isLocalTag(reference)
        ? "It was built there and removed by others: `pctl deploy` builds it again from what is in the folder now."
        : "No registry knows it: build or load it there again.",
      failure: { verdict: "IMAGE_PULL", reason: `${reference} is gone` },
    });
  }
  await pullImage(engine, reference, options);
  const pulled = await findLocal(engine, reference, options.signal);
  if (pulled !== undefined) return pulled.Id;
  throw new CtrlPlaneError("CONFLICT", `${reference} was removed right after it was pulled`, {
    target: declared,
    retryable: true,
    hint: "Something on the host removes images, such as a scheduled prune.",
  });
}

async function findLocal(
  engine: EngineClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<LocalImage | undefined> {
  const aborting = signal === undefined ? {} : { signal };
  try {
    return await unlessMissing(
      engine.json<LocalImage>({ method: "GET", path: `/images/${segment(name)}/json`, ...aborting }),
    );
  } catch (error) {
    throw mapEngineError(error, `looking up ${name}`);
  }
}

/** The digest under which this repository knows the image; of other repositories none counts. */
function repoDigest(image: LocalImage, { domain, path }: ImageReference): string | undefined {
  const known = (image.RepoDigests ?? []).filter((each) => !each.startsWith("<none>")).map(parseReference);
  return known.find((each) => each.domain === domain && each.path === path)?.digest;
}

function pinned(declared: string, { domain, path }: ImageReference, digest: string): PinnedImage {
  return { digest, declared, reference: `${familiarName({ domain, path })}@${digest}` };
}

function withTag({ domain, path, tag = "latest" }: ImageReference): string {
  return completeReference({ domain, path, tag });
}

/** At the time of a plan an image that does not exist is a mistake in the declaration. */
function asInvalid(error: unknown, declared: string): unknown {
  if (!(error instanceof CtrlPlaneError) || error.code !== "NOT_FOUND") return error;
  const { hint, failure } = error;
  return new CtrlPlaneError("INVALID", `there is no image ${declared}`, {
    target: declared,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(failure === undefined ? {} : { failure }),
  });
}
