import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import {
  CtrlPlaneError,
  sha256,
  type ImageSpec,
  type PinnedImage,
  type ProviderContext,
} from "@ctrlplane/core/provider";
import type { Client } from "./client.ts";

/**
 * A reference is what the platform says it means now. A folder or a file is its content; its behaviour is the text of the file, or of
 * the file `behaviour` in the folder.
 */
export async function identifyImage(
  client: Client,
  image: ImageSpec,
  current: PinnedImage | undefined,
  context: ProviderContext,
): Promise<PinnedImage> {
  if (image.kind === "path") return (await readContent(image)).image;
  if (image.kind === "build") throw new CtrlPlaneError("UNSUPPORTED", "the reference platform builds nothing");
  const { reference } = image;
  if (reference === "missing") throw new CtrlPlaneError("INVALID", "there is no image missing", { target: reference });
  if (current?.declared === reference) return current;
  const meaning = await client.call("resolve", { reference }, context);
  return { digest: `sha256:${sha256(String(meaning))}`, declared: reference };
}

/** The platform knows how the pinned content behaves. Throws `CONFLICT` where a path has another content by now. */
export async function buildImage(
  client: Client,
  image: ImageSpec,
  pinned: PinnedImage,
  context: ProviderContext,
): Promise<PinnedImage> {
  if (image.kind === "reference") {
    const behaviour = String(await client.call("resolve", { reference: image.reference }, context));
    if (`sha256:${sha256(behaviour)}` === pinned.digest)
      await client.call("image", { digest: pinned.digest, behaviour }, context);
    return pinned;
  }
  if (image.kind === "build") throw new CtrlPlaneError("UNSUPPORTED", "the reference platform builds nothing");
  const now = await readContent(image);
  if (now.image.digest !== pinned.digest) {
    throw new CtrlPlaneError("CONFLICT", `${image.declared} was changed since it was planned`, {
      hint: "plan again",
      target: image.declared,
    });
  }
  await client.call("image", { digest: pinned.digest, behaviour: now.behaviour }, context);
  return pinned;
}

async function readContent(
  image: Extract<ImageSpec, { kind: "path" }>,
): Promise<{ image: PinnedImage; behaviour: string }> {
  const paths = await filesOf(image);
  const hash = createHash("sha256");
  let bytes = 0;
  let behaviour = "ok";
  for (const path of paths) {
    const content = await readFile(path);
    bytes += content.length;
    hash.update(JSON.stringify([relative(image.path, path), content.length])).update(content);
    if (paths.length === 1 || basename(path) === "behaviour") behaviour = content.toString("utf8").trim();
  }
  const source = { context: image.declared, bytes, files: paths.length, how: "snapshot" } as const;
  return { image: { digest: `sha256:${hash.digest("hex")}`, declared: image.declared, source }, behaviour };
}

async function filesOf({ path, declared }: Extract<ImageSpec, { kind: "path" }>): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name))
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new CtrlPlaneError("INVALID", `${declared} does not exist`, { target: declared, cause: error });
    }
    throw error;
  }
}
