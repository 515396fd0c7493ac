import { join } from "node:path";
import pLimit from "p-limit";
import type { FolderContent } from "./folder.ts";
import { flushToDisk } from "./process/json-file.ts";

/** Flushes under way at once: the file system writes many together in hardly more time than one. */
const flushes = 16;

/** What was copied to `tree` outlives a loss of power, the tree's name in its folder apart. */
export async function flushTree(tree: string, content: FolderContent): Promise<void> {
  const limit = pLimit(flushes);
  const paths = content.entries.flatMap((each) => (each.kind === "link" ? [] : [join(tree, each.path)]));
  await Promise.all([tree, ...paths].map((path) => limit(() => flushToDisk(path))));
}
