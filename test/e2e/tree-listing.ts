import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A larger file is told by size and times. */
const longestHashed = 100_000_000;

/** Every entry below a folder by its path: kind, mode, time of change, and of a file size and content. Two are equal when nothing was touched. */
export function listTree(folder: string, ignored: readonly string[] = []): Record<string, string> {
  const listing: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const name of readdirSync(join(folder, path)).toSorted()) {
      const inside = join(path, name);
      if (ignored.includes(inside)) continue;
      listing[inside] = describe(join(folder, inside));
      if (listing[inside].startsWith("folder")) walk(inside);
    }
  };
  walk("");
  return listing;
}

function describe(path: string): string {
  const stat = lstatSync(path);
  const always = `${stat.mode.toString(8)} ${stat.mtimeMs}`;
  if (stat.isDirectory()) return `folder ${always}`;
  if (stat.isSymbolicLink()) return `link ${always} ${readlinkSync(path)}`;
  if (!stat.isFile()) return `special ${always}`;
  if (stat.size > longestHashed) return `file ${always} ${stat.size}`;
  return `file ${always} ${stat.size} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}
