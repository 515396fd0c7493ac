import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { CtrlPlaneError, type ImageSpec } from "@ctrlplane/core/provider";
import { errnoOf } from "./errno.ts";

/** What an image is built of: the declaration with its defaults filled in. Paths are absolute. */
export interface BuildSource {
  /** Folder that the build sees. */
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  /** Stage to build. Default: the last one. */
  readonly target?: string;
  /** e.g. `linux/amd64`. Default: the engine's. */
  readonly platform?: string;
  /** Names of secrets that the build may mount. Their values are given where it is built. */
  readonly secrets: readonly string[];
  /** The context as the user wrote it, e.g. `./web`; errors name it. */
  readonly declared: string;
}

/**
 * What `image` or `build` means where an image is built: a folder is a context with its Dockerfile; a file is a Dockerfile,
 * and the context is `folder`, the configuration's, as in pctl 1.1. Undefined for a reference, which names an image that is
 * there already.
 * @throws `INVALID` where the path or its Dockerfile does not exist.
 */
export async function buildSource(image: ImageSpec, folder: string): Promise<BuildSource | undefined> {
  if (image.kind === "reference") return undefined;
  if (image.kind === "build") {
    const { dockerfile = join(image.build.context, "Dockerfile"), ...build } = image.build;
    const declared = shortPath(folder, build.context);
    return checked({ ...build, dockerfile, declared });
  }
  const { path, declared } = image;
  const plain = { args: {}, secrets: [], declared };
  const isFolder = (await kindOf(path)) === "folder";
  if (isFolder) return checked({ context: path, dockerfile: join(path, "Dockerfile"), ...plain });
  return checked({ context: folder, dockerfile: path, ...plain });
}

/** Relative where it lies below. */
function shortPath(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.startsWith("..") ? path : `./${inside}`;
}

async function checked(source: BuildSource): Promise<BuildSource> {
  const { declared } = source;
  const [context, dockerfile] = await Promise.all([kindOf(source.context), kindOf(source.dockerfile)]);
  if (context === undefined) throw invalid(`${declared} does not exist`, declared);
  if (context === "file") throw invalid(`the build context ${declared} is a file`, declared);
  if (dockerfile === "file") return source;
  const name = relative(source.context, source.dockerfile) || ".";
  throw invalid(`${declared} has no ${name}${dockerfile === "folder" ? ": that is a folder" : ""}`, declared);
}

function invalid(message: string, target: string): CtrlPlaneError {
  const hint = "An image is built of a folder with a Dockerfile, of a Dockerfile, or of what `build` says.";
  return new CtrlPlaneError("INVALID", message, { target, hint });
}

async function kindOf(path: string): Promise<"folder" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "ELOOP") return undefined;
    throw error;
  }
}
