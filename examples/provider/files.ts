// Images: folders of files, stored under the hash of their content.
import { createHash, randomUUID } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { PinnedImage, ServiceSpec } from "@ctrlplane/core/provider";

/** What a folder means now. Writes nothing. */
export async function contentOf(image: ServiceSpec["image"]): Promise<{ image: PinnedImage; path: string }> {
  if (image.kind !== "path") throw new CtrlPlaneError("INVALID", "the image is no folder");
  const { path, declared } = image;
  if (!(await has(path, "."))) throw new CtrlPlaneError("INVALID", `there is no folder ${declared}`);
  const { digest, bytes, files } = await hash(path);
  return { path, image: { digest, declared, source: { context: declared, bytes, files, how: "snapshot" } } };
}

/** The image is below `images`: copied beside its place first, so that a crash leaves no half of it under its name. */
export async function store(spec: ServiceSpec["image"], image: PinnedImage, images: string): Promise<void> {
  const place = image.digest.replace(":", "-");
  if (await has(images, place)) return;
  const { path } = await contentOf(spec);
  const draft = join(images, `.${randomUUID()}`);
  await mkdir(images, { recursive: true });
  await cp(path, draft, { recursive: true });
  if ((await hash(draft)).digest !== image.digest) {
    await rm(draft, { recursive: true });
    throw new CtrlPlaneError("CONFLICT", `${image.declared} was changed meanwhile`, { hint: "Deploy again." });
  }
  await rename(draft, join(images, place)).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true });
    // Another one stored the same meanwhile.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
}

export async function has(folder: string, name: string): Promise<boolean> {
  return stat(join(folder, name)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}

async function hash(folder: string): Promise<{ digest: string; bytes: number; files: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const digest = createHash("sha256");
  let bytes = 0;
  for (const path of paths.toSorted()) {
    const content = await readFile(path);
    bytes += content.length;
    digest.update(JSON.stringify([relative(folder, path), content.length])).update(content);
  }
  return { digest: `sha256:${digest.digest("hex")}`, bytes, files: paths.length };
}
