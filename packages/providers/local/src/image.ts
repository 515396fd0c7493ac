import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { CtrlPlaneError, noHashCache, openHashCache } from "@ctrlplane/core/provider";
import type {
  BuildImageRequest,
  IdentifyImageRequest,
  ImageSpec,
  PinnedImage,
  ProviderContext,
} from "@ctrlplane/core/provider";
import { errnoOf, mapError } from "./errors.ts";
import { readFolder, readSingleFile } from "./folder.ts";
import type { FolderContent } from "./folder.ts";
import { invalidSpec } from "./invalid-spec.ts";
import { requireCommand } from "./require-command.ts";
import type { SnapshotStore } from "./snapshot.ts";

/** Pins and copies what `image` names: for `local` always files of this machine. */
export interface ImageStore {
  identify(request: IdentifyImageRequest, context: ProviderContext): Promise<PinnedImage>;
  build(request: BuildImageRequest, context: ProviderContext): Promise<PinnedImage>;
}

interface Source {
  /** The folder that is read. */
  readonly root: string;
  /** Set where the image is one file of it. */
  readonly single?: string;
}

/** `env`: environment of this process, whose PATH replicas inherit. */
export function imageStore(
  dir: string,
  snapshots: SnapshotStore,
  env: Readonly<Record<string, string | undefined>>,
): ImageStore {
  let cacheDir: string | undefined;
  return {
    async identify({ spec, cacheDir: folder }, context) {
      cacheDir = folder;
      const image = requirePath(spec.image);
      const source = await locate(image);
      const content = await read(source, image, dir, folder, context);
      if (content.files === 0) throw empty(image);
      await requireCommand({ spec, content, ...source, path: spec.env["PATH"] ?? env["PATH"] ?? "" });
      for (const path of content.leaving) {
        context.log.warn(
          `${path} in ${image.declared} links to a place outside of it, where the copy that runs will not find it`,
        );
      }
      return pinned(image, content);
    },
    async build({ spec, image: wanted }, context) {
      if ((await snapshots.find(wanted.digest)) !== undefined) {
        await snapshots.touch(wanted.digest);
        return wanted;
      }
      const image = requirePath(spec.image);
      const source = await locate(image);
      const content = await read(source, image, dir, cacheDir, context);
      if (`sha256:${content.digest}` !== wanted.digest) throw changed(image);
      const { bytes, files } = content;
      const { single } = source;
      const manifest = {
        v: 1,
        digest: wanted.digest,
        declared: image.declared,
        bytes,
        files,
        ...(single === undefined ? {} : { single }),
      } as const;
      await snapshots.create(source.root, content, manifest, context);
      return wanted;
    },
  };
}

type PathImage = Extract<ImageSpec, { kind: "path" }>;

function requirePath(image: ImageSpec): PathImage {
  if (image.kind === "path") return image;
  throw new CtrlPlaneError("UNSUPPORTED", "`local` runs files, not container images", {
    hint: "Name a folder or a file, e.g. `image: ./web`.",
  });
}

async function locate(image: PathImage): Promise<Source> {
  try {
    const path = await realpath(image.path);
    const found = await stat(path);
    if (found.isDirectory()) return { root: path };
    if (found.isFile()) return { root: dirname(path), single: basename(path) };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw mapError(error, image.declared);
    throw invalidSpec(
      "no-such-image",
      `${image.declared} does not exist`,
      "Name a folder or a file; paths are relative to the configuration's folder.",
    );
  }
  throw invalidSpec("invalid-image", `${image.declared} is neither a folder nor a file`, "Name a folder or a file.");
}

async function read(
  source: Source,
  image: PathImage,
  dir: string,
  cacheDir: string | undefined,
  context: ProviderContext,
): Promise<FolderContent> {
  const cache = cacheDir === undefined ? noHashCache : await openHashCache(cacheDir, "local", image.path);
  const options = { cache, except: dir, declared: image.declared, signal: context.signal };
  const content =
    source.single === undefined
      ? await readFolder(source.root, options)
      : await readSingleFile(source.root, source.single, options);
  await cache.save();
  return content;
}

function pinned(image: PathImage, content: FolderContent): PinnedImage {
  const { bytes, files } = content;
  return {
    digest: `sha256:${content.digest}`,
    declared: image.declared,
    source: { context: image.declared, bytes, files, how: "snapshot" },
  };
}

function empty(image: PathImage): CtrlPlaneError {
  return invalidSpec(
    "empty-image",
    `${image.declared} holds no files`,
    "Name the folder that holds what is to run; a `.pctlignore` may leave out too much.",
  );
}

function changed(image: PathImage): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${image.declared} is not what it was when the plan was made`, {
    target: image.declared,
    retryable: true,
    hint: "Run the same command again.",
  });
}
