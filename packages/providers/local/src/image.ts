import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { basename, delimiter, dirname, isAbsolute, join, normalize } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type {
  BuildImageRequest,
  IdentifyImageRequest,
  ImageSpec,
  PinnedImage,
  ProviderContext,
  ServiceSpec,
} from "@ctrlplane/core/provider";
import { errnoOf, mapError } from "./errors.ts";
import { readFolder, readSingleFile } from "./folder.ts";
import type { FolderContent } from "./folder.ts";
import { noHashCache, openHashCache } from "./hash-cache.ts";
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

export function imageStore(dir: string, snapshots: SnapshotStore): ImageStore {
  let cacheDir: string | undefined;
  return {
    async identify({ spec, cacheDir: folder }, context) {
      cacheDir = folder;
      const image = requirePath(spec.image);
      const source = await locate(image);
      const content = await read(source, image, dir, folder, context);
      if (content.files === 0) throw empty(image);
      await requireCommand(spec, source, content, image);
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
    throw invalid(
      "no-such-image",
      `${image.declared} does not exist`,
      "Name a folder or a file; paths are relative to the configuration's folder.",
    );
  }
  throw invalid("invalid-image", `${image.declared} is neither a folder nor a file`, "Name a folder or a file.");
}

async function read(
  source: Source,
  image: PathImage,
  dir: string,
  cacheDir: string | undefined,
  context: ProviderContext,
): Promise<FolderContent> {
  const cache = cacheDir === undefined ? noHashCache : await openHashCache(cacheDir, image.path);
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

/** A command that cannot be run is found before anything is touched, wherever it can be. */
async function requireCommand(
  spec: ServiceSpec,
  source: Source,
  content: FolderContent,
  image: PathImage,
): Promise<void> {
  const program = programOf(spec, source);
  if (program === undefined) {
    if (spec.command !== undefined) return;
    throw invalid(
      "command-required",
      `${image.declared} is a folder, and nothing says what to run in it`,
      "Add a `command`, e.g. `command: [node, server.js]`.",
      "command",
    );
  }
  if (isAbsolute(program)) return requireExecutable(program);
  if (!program.includes("/")) return requireOnPath(program, spec);
  const path = normalize(program);
  if (suppliedByMount(path, spec)) return;
  const entry = content.entries.find((each) => each.path === path);
  if (entry === undefined)
    throw invalid(
      "command-not-found",
      `the command ${program} is not in ${image.declared}`,
      "Paths in `command` are relative to the image's folder.",
      "command",
    );
  if (entry.kind === "link") return;
  if (entry.kind === "folder")
    throw invalid("command-not-executable", `the command ${program} is a folder`, "Name a file in it.", "command");
  if ((entry.mode & 0o111) === 0) throw notExecutable(program);
}

/** First word of what will be executed; undefined where a shell or nothing is named. */
function programOf(spec: ServiceSpec, source: Source): string | undefined {
  const [entrypoint] = spec.entrypoint ?? [];
  if (entrypoint !== undefined) return entrypoint;
  if (spec.command === undefined) return source.single === undefined ? undefined : `./${source.single}`;
  return "args" in spec.command ? spec.command.args[0] : undefined;
}

function suppliedByMount(path: string, spec: ServiceSpec): boolean {
  return [...spec.volumes, ...spec.files].some((mount) => {
    const at = normalize(mount.path).replace(/\/$/, "");
    return path === at || path.startsWith(`${at}/`);
  });
}

async function requireExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch (error) {
    if (errnoOf(error) === "EACCES") throw notExecutable(program);
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw mapError(error, program);
    throw invalid(
      "command-not-found",
      `the command ${program} does not exist on this machine`,
      "Install it, or correct the path.",
      "command",
    );
  }
}

async function requireOnPath(program: string, spec: ServiceSpec): Promise<void> {
  const path = spec.env["PATH"] ?? process.env["PATH"] ?? "";
  for (const folder of path.split(delimiter)) {
    const found = await access(join(folder === "" ? "." : folder, program), constants.X_OK).then(
      () => true,
      // Whatever hides it here, the next folder may have it.
      () => false,
    );
    if (found) return;
  }
  throw invalid(
    "command-not-found",
    `the command ${program} is not on this machine`,
    `Install it, or write \`./${program}\` for a file of the image.`,
    "command",
  );
}

function notExecutable(program: string): CtrlPlaneError {
  return invalid(
    "command-not-executable",
    `the command ${program} is not executable`,
    `Run \`chmod +x\` on it, or name its interpreter, e.g. \`command: [node, ${basename(program)}]\`.`,
    "command",
  );
}

function empty(image: PathImage): CtrlPlaneError {
  return invalid(
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

function invalid(code: string, summary: string, hint: string, field = "image"): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", summary, {
    hint,
    diagnostics: [{ severity: "error", code, summary, hint, field }],
  });
}
