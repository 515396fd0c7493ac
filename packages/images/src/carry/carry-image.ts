import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { sharedWork, type SharedWork } from "../build/shared-work.ts";
import { segment, type EngineClient } from "../engine/client.ts";
import { EngineError, mapEngineError, unlessMissing, unreachable } from "../engine/errors.ts";
import { errorIn, readMessages, type ErrorMessage } from "../engine/messages.ts";
import { tagImage } from "../registry/repository.ts";
import { compare } from "../engine/version.ts";
import { leftOutByHash, leftOutByManifest, sharedLayers, type SavedManifest } from "./layers.ts";
import { filterTar, type TarEntry } from "./tar-entries.ts";

export interface CarryProgress {
  /** On their way, or there already. */
  readonly bytes: number;
  /** Of the image, as far as it must travel; an estimate until it is there. */
  readonly totalBytes: number;
}

export interface CarryOptions {
  readonly onProgress?: (progress: CarryProgress) => void;
  readonly signal?: AbortSignal;
}

export interface CarriedImage {
  /** The target's id of the image. */
  readonly id: string;
  /** Bytes that travelled; 0 where it was there. */
  readonly bytes: number;
  /** Layers that were there. */
  readonly sharedLayers: number;
}

interface InspectedImage {
  readonly Id: string;
  readonly Size: number;
  readonly RepoTags?: readonly string[] | null;
  readonly RootFS: { readonly Layers?: readonly string[] };
}

/** Images on the target whose layers are looked at, the newest first. */
const comparedImages = 100;

/** Transfers to one engine that run at the moment, by image. */
const running = new WeakMap<EngineClient, SharedWork<CarriedImage, CarryProgress>>();

/**
 * The engine `target` has the image that `source` knows under `reference`, a name with a tag, under the same name. It travels over
 * the two connections without a registry and without touching this machine's disk; layers that the target has stay where they are. An
 * equal image travels once, also for callers at the same time.
 * @throws `NOT_FOUND` where the source has no such image, `UNAVAILABLE` where a connection breaks, `QUOTA` where the target's disk is full.
 */
export async function carryImage(
  source: EngineClient,
  target: EngineClient,
  reference: string,
  options: CarryOptions = {},
): Promise<CarriedImage> {
  const subject = `sending ${reference} to ${target.description}`;
  const transfers = running.get(target) ?? sharedWork<CarriedImage, CarryProgress>();
  running.set(target, transfers);
  try {
    const image = await inspect(source, reference, options.signal);
    if (image === undefined) {
      throw new CtrlPlaneError("NOT_FOUND", `there is no image ${reference} on ${source.description}`, {
        target: reference,
        hint: "Build it there first.",
      });
    }
    return await transfers.run(
      `${image.Id} ${reference}`,
      (signal, onProgress) => carryMissing(source, target, reference, image, { signal, onProgress }),
      options,
    );
  } catch (error) {
    throw mapEngineError(error, subject);
  }
}

async function carryMissing(
  source: EngineClient,
  target: EngineClient,
  reference: string,
  image: InspectedImage,
  options: CarryOptions & { readonly signal: AbortSignal },
): Promise<CarriedImage> {
  const { signal } = options;
  const layers = image.RootFS.Layers ?? [];
  const there = (await inspect(target, reference, signal))?.Id === image.Id;
  if (there || (await inspect(target, image.Id, signal)) !== undefined) {
    if (!there) await tagImage(target, image.Id, reference, signal);
    return { id: image.Id, bytes: 0, sharedLayers: layers.length };
  }
  const shared = sharedLayers(layers, await layersOn(target, signal));
  const leftOut = shared === 0 ? new Set<string>() : await findLeftOut(source, reference, layers, shared, signal);
  const bytes = await sendWhatLacks(source, target, reference, image, leftOut, options);
  const loaded = await inspect(target, reference, signal);
  if (loaded !== undefined) return { id: loaded.Id, bytes, sharedLayers: shared };
  throw new CtrlPlaneError("CONFLICT", `${reference} is not on ${target.description} right after it was sent there`, {
    target: reference,
    retryable: true,
    hint: "Something on the host removes images, such as a scheduled prune.",
  });
}

/** Where a layer that was there has gone meanwhile, all are sent. */
async function sendWhatLacks(
  source: EngineClient,
  target: EngineClient,
  reference: string,
  image: InspectedImage,
  leftOut: ReadonlySet<string>,
  options: CarryOptions & { readonly signal: AbortSignal },
): Promise<number> {
  try {
    return await send(source, target, reference, image, leftOut, options);
  } catch (error) {
    const isIncomplete = error instanceof EngineError && /no such file|not found|does not exist/i.test(error.message);
    if (leftOut.size === 0 || !isIncomplete) throw error;
    return send(source, target, reference, image, new Set(), options);
  }
}

/** Layers of the images that the target has; none where its way of storing them needs each stream to be whole. */
async function layersOn(target: EngineClient, signal: AbortSignal): Promise<readonly (readonly string[])[]> {
  const info = await target.json<{ readonly DriverStatus?: readonly (readonly string[])[] | null }>({
    method: "GET",
    path: "/info",
    signal,
  });
  if ((info.DriverStatus ?? []).some(([, value]) => value?.startsWith("io.containerd.snapshotter") === true)) return [];
  const listed = await target.json<readonly { readonly Id: string }[]>({ method: "GET", path: "/images/json", signal });
  const images = await Promise.all(listed.slice(0, comparedImages).map(({ Id }) => inspect(target, Id, signal)));
  return images.map((each) => each?.RootFS.Layers ?? []);
}

async function findLeftOut(
  source: EngineClient,
  reference: string,
  layers: readonly string[],
  shared: number,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  // Engine 25.
  if (compare((await source.version()).api, "1.44") >= 0) return leftOutByHash(layers, shared);
  const links: TarEntry[] = [];
  let manifest = "[]";
  const saved = await save(source, reference, signal);
  const passing = filterTar(saved, (entry) => {
    if (entry.linkpath !== undefined) links.push(entry);
    if (entry.path !== "manifest.json") return "drop";
    return (content) => {
      manifest = content.toString();
    };
  });
  await pipeline(passing, new Writable({ write: (_piece, _encoding, done) => done() }), { signal });
  // The engine wrote it.
  return leftOutByManifest(JSON.parse(manifest) as readonly SavedManifest[], links, shared);
}

/** Bytes sent. */
async function send(
  source: EngineClient,
  target: EngineClient,
  reference: string,
  image: InspectedImage,
  leftOut: ReadonlySet<string>,
  { onProgress, signal }: CarryOptions & { readonly signal: AbortSignal },
): Promise<number> {
  let [bytes, totalBytes] = [0, image.Size];
  const saved = await save(source, reference, signal);
  const passing = filterTar(saved, (entry) => {
    if (!leftOut.has(entry.path)) return "pass";
    totalBytes = Math.max(0, totalBytes - entry.bytes);
    return "drop";
  });
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of passing) {
      bytes += piece.length;
      onProgress?.({ bytes, totalBytes: Math.max(bytes, totalBytes) });
      yield piece;
    }
  };
  const body = Readable.from(counted(), { objectMode: false });
  // What went wrong on the way is told as the error of the request.
  body.on("error", () => undefined);
  try {
    const headers = { "Content-Type": "application/x-tar" };
    const query = { quiet: true };
    const answer = await target.stream({ method: "POST", path: "/images/load", query, headers, body, signal });
    for await (const message of readMessages<ErrorMessage>(answer, target.description)) {
      const error = errorIn(message);
      if (error !== undefined) throw new EngineError(500, error);
    }
    onProgress?.({ bytes, totalBytes: bytes });
    return bytes;
  } finally {
    body.destroy();
    saved.destroy();
  }
}

async function save(source: EngineClient, reference: string, signal: AbortSignal): Promise<Readable> {
  const answer = await source.stream({ method: "GET", path: `/images/${segment(reference)}/get`, signal });
  const watched = async function* (): AsyncGenerator<Buffer> {
    try {
      // Without an encoding, pieces are buffers.
      yield* answer as AsyncIterable<Buffer>;
    } catch (error) {
      throw isCtrlPlaneError(error) ? error : unreachable(error, source.description);
    }
  };
  return Readable.from(watched(), { objectMode: false });
}

function inspect(engine: EngineClient, name: string, signal?: AbortSignal): Promise<InspectedImage | undefined> {
  const path = `/images/${segment(name)}/json`;
  return unlessMissing(engine.json({ method: "GET", path, ...(signal === undefined ? {} : { signal }) }));
}
