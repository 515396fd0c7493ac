import { readFileSync, type Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { canonicalJson, noHashCache, openHashCache, sha256 } from "@ctrlplane/core/provider";
import type { BuildSource } from "./build-source.ts";
import type { ContextEntry } from "./entry.ts";
import { errnoOf } from "./errno.ts";
import { foldersAbove, noIgnoreRules, readIgnoreRules, type IgnoreRules } from "./ignore-rules.ts";
import { explainRead, readEntry, type EntryPlace } from "./read-entry.ts";

/** All that a build sees, read and hashed. */
export interface BuildContext {
  readonly source: BuildSource;
  /** `sha256:…` over Dockerfile, context, arguments, target and platform. Path, mode and bytes count, never time or owner. */
  readonly digest: string;
  /** Sorted by path, a folder before what is in it. */
  readonly entries: readonly ContextEntry[];
  readonly bytes: number;
  readonly files: number;
  readonly dockerfile: {
    readonly content: Buffer;
    /** Its path in the context; absent where it lies outside, is ignored or is a link, so that it must be sent beside the entries. */
    readonly path?: string;
  };
}

export interface ReadContextOptions {
  /** Folder for hashes of files, absolute. Default: all files are read. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads a build context as Docker would send it: without what `{Dockerfile}.dockerignore` or else `.dockerignore` names, and never
 * with state of ours (`pctl.*.json`, `.pctl/`, data folders of `local`).
 * @throws `INVALID` for what cannot be part of it, `CONFLICT` for what changed while it was read.
 */
export async function readContext(source: BuildSource, options: ReadContextOptions = {}): Promise<BuildContext> {
  const { context: root, declared } = source;
  const key = `${root}\n${source.dockerfile}`;
  const cache = options.cacheDir === undefined ? noHashCache : await openHashCache(options.cacheDir, "images", key);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const entries = await readEntries(await ignoreRulesOf(source), { root, declared, cache, ...signal });
  const dockerfile = await readDockerfile(source, entries);
  await cache.save();
  const files = entries.filter((each) => each.kind === "file");
  return {
    source,
    digest: digestOf(source, entries, dockerfile.content),
    entries,
    bytes: files.reduce((sum, each) => sum + each.bytes, 0),
    files: files.length,
    dockerfile,
  };
}

async function readEntries(rules: IgnoreRules, place: EntryPlace): Promise<readonly ContextEntry[]> {
  const kept = new Map<string, ContextEntry>();
  /** Ignored folders that were entered: they stay where something in them does. */
  const entered = new Map<string, ContextEntry>();
  const breathe = breather(place.signal);
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const children = await listFolder(folder, place);
    if (isDataFolder(place.root, folder, children)) {
      kept.delete(folder);
      continue;
    }
    for (const child of children) {
      await breathe();
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      if (isOurs(child.name)) continue;
      const isIgnored = rules.ignores(path);
      if (isIgnored && !(child.isDirectory() && rules.mayKeepWithin(path))) continue;
      const entry = await readEntry(path, place);
      if (entry?.kind === "folder") pending.push(path);
      if (entry !== undefined) (isIgnored ? entered : kept).set(path, entry);
    }
  }
  for (const path of Array.from(kept.keys())) {
    for (const above of foldersAbove(path)) {
      const folder = entered.get(above);
      if (folder !== undefined) kept.set(above, folder);
    }
  }
  return sorted([...kept.values()]);
}

/** By the parts of the path, byte by byte, so that all of a folder stands together behind it: the order of builders. */
function sorted(entries: readonly ContextEntry[]): readonly ContextEntry[] {
  return entries
    .map((entry) => ({ entry, key: Buffer.from(entry.path.replaceAll("/", "\0")) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

async function ignoreRulesOf(source: BuildSource): Promise<IgnoreRules> {
  for (const file of [`${source.dockerfile}.dockerignore`, join(source.context, ".dockerignore")]) {
    try {
      return readIgnoreRules(await readFile(file, "utf8"), relative(source.context, file));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
  return noIgnoreRules;
}

async function readDockerfile(
  { context, dockerfile, declared }: BuildSource,
  entries: readonly ContextEntry[],
): Promise<BuildContext["dockerfile"]> {
  const path = relative(context, dockerfile).split(sep).join("/");
  try {
    const content = await readFile(dockerfile);
    const entry = entries.find((each) => each.path === path);
    // Read twice: what changed in between would be another Dockerfile than the one in the context.
    if (entry?.kind !== "file" || entry.sha256 !== sha256(content)) return { content };
    return { content, path };
  } catch (error) {
    throw explainRead(error, path, declared);
  }
}

function digestOf(source: BuildSource, entries: readonly ContextEntry[], dockerfile: Buffer): string {
  const { args, target, platform } = source;
  const head = canonicalJson({ v: 1, args, target, platform, dockerfile: sha256(dockerfile) });
  const lines = entries.map((entry) => {
    if (entry.kind === "link") return JSON.stringify(["link", entry.path, entry.target]);
    const content = entry.kind === "file" ? [entry.sha256] : [];
    return JSON.stringify([entry.kind, entry.path, entry.mode.toString(8), ...content]);
  });
  return `sha256:${sha256([head, ...lines].join("\n"))}`;
}

async function listFolder(folder: string, place: EntryPlace): Promise<readonly Dirent[]> {
  try {
    return await readdir(join(place.root, folder), { withFileTypes: true });
  } catch (error) {
    throw explainRead(error, folder, place.declared);
  }
}

function isOurs(name: string): boolean {
  return name === ".pctl" || /^pctl\..+\.json$/.test(name);
}

/** Data of a `local` provider: its ledger changes with every deploy, so it can be no part of what is deployed. */
function isDataFolder(root: string, folder: string, children: readonly Dirent[]): boolean {
  if (!children.some((child) => child.name === "platform.json" && child.isFile())) return false;
  return readFileSync(join(root, folder, "platform.json"), "utf8").includes('"platformId":"local_');
}

/** Lets other work of the process through every 20 ms; throws the signal's reason when nobody wants the result any more. */
function breather(signal: AbortSignal | undefined): () => Promise<void> | void {
  let since = performance.now();
  return () => {
    if (performance.now() - since < 20) return;
    signal?.throwIfAborted();
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
