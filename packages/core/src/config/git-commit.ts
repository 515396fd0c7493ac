import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errorCode } from "./env-files.ts";

/** The commit that is checked out around `folder`, from git's own files; undefined where there is none. Starts no process. */
export function gitCommit(folder: string): string | undefined {
  const gitFolder = findGitFolder(folder);
  if (gitFolder === undefined) return undefined;
  const head = readText(join(gitFolder, "HEAD"))?.trim();
  if (head === undefined) return undefined;
  const ref = /^ref: (refs\/.+)$/.exec(head)?.[1];
  if (ref === undefined) return commitOf(head);
  // A linked worktree has its own HEAD, and shares the branches of the main one.
  const common = readText(join(gitFolder, "commondir"))?.trim();
  const shared = common === undefined ? gitFolder : resolve(gitFolder, common);
  for (const place of new Set([gitFolder, shared])) {
    const commit = commitOf(readText(join(place, ref))?.trim());
    if (commit !== undefined) return commit;
  }
  const packed = readText(join(shared, "packed-refs"))?.split("\n") ?? [];
  return commitOf(packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0]);
}

function findGitFolder(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, ".git");
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return path;
    const linked = found?.isFile() === true ? /^gitdir: (.+)$/m.exec(readText(path) ?? "")?.[1] : undefined;
    if (linked !== undefined) return resolve(at, linked.trim());
    if (dirname(at) === at) return undefined;
  }
}

function commitOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text) ? text : undefined;
}

/** A repository that cannot be read is as good as none: the commit is only noted, nothing depends on it. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR", "EACCES"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
