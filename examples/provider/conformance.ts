// For `npx ctrlplane-conformance ./conformance.ts`: what the suite needs to know of a platform of files. It looks at the files
// themselves and changes them by itself: what the provider says of them is what is to be proven.
import { lstat, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refused } from "@ctrlplane/conformance";
import type { Deviations, Harness, Program, SeenInstance } from "@ctrlplane/conformance";
import type { Labels } from "@ctrlplane/core/provider";
import { provider } from "./provider.ts";

export async function harness(): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "site-conformance-"));
  const dir = join(folder, "www");
  const environment = { name: "site", folder, env: process.env };
  const none = (what: string) => (): Promise<never> => Promise.reject(new Refused(`files have no ${what}`));
  return {
    name: "site",
    provenBy: "files below a folder",
    connect: () => provider.create({ dir }, environment),
    unreachable: () => provider.create({ dir: "/dev/null/www" }, environment),
    program: (program) => {
      const path = programFolder(join(folder, "programs"), program);
      return path === undefined ? undefined : { image: { kind: "path", path, declared: `./${program.version}` } };
    },
    commands: {
      print: (text) => ["printf", "%s\\n", text],
      exit: (code) => ["sh", "-c", `exit ${code}`],
      variable: (name) => ["printenv", name],
      copy: ["cat"],
    },
    async ask(url) {
      const version = await textOf(new URL(url));
      return version === undefined ? undefined : { version, env: {} };
    },
    look: (name) => look(join(dir, name)),
    writes: (stack) => writesOf(dir, stack),
    remove: ({ name }) => rm(join(dir, name, "public")),
    async relabel(name, labels) {
      const file = join(dir, name, "record.json");
      await writeFile(`${file}~`, JSON.stringify({ ...recordOf(await readFile(file, "utf8")), labels }));
      await rename(`${file}~`, file);
    },
    readVolume: none("volumes"),
    writeVolume: none("volumes"),
    kill: none("process to kill"),
    say: none("output"),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** By id: where a platform of files differs, why, and what it does instead. */
export const deviations: Deviations = {
  "identity.a-restart-raises-the-generation": {
    reason: "Files do not run, so there is nothing that a restart could replace.",
    instead: "`restart` publishes the same release again, under the same generation.",
  },
};

/** A folder whose index.html is the version. What takes time, ends or is deaf has no counterpart: files do not run. */
function programFolder(base: string, { version, ...program }: Program): string | undefined {
  const path = join(base, version);
  if (program.kind === "missing") return join(base, "missing");
  if (program.kind !== "serves" || program.readyMs !== undefined || program.diesMs !== undefined) return undefined;
  if (existsSync(path)) return path;
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "index.html"), version);
  return path;
}

async function look(home: string): Promise<SeenInstance | undefined> {
  const text = await textOf(join(home, "record.json"));
  if (text === undefined) return undefined;
  const { labels } = recordOf(text);
  const id = await unlessAbsent(readlink(join(home, "public")));
  if (id === undefined) return { labels, replicas: [] };
  const version = (await textOf(join(id, "index.html"))) ?? "";
  const name = home.slice(home.lastIndexOf("/") + 1);
  return { labels, replicas: [{ id, name, labels, version, isRunning: true, starts: 1, limits: {} }] };
}

/** `record.json` as the provider writes it. */
function recordOf(text: string): { readonly labels: Labels } {
  return JSON.parse(text) as { labels: Labels };
}

async function writesOf(dir: string, stack: string): Promise<readonly string[]> {
  const names = ((await unlessAbsent(readdir(dir))) ?? []).filter((each) => each.startsWith(`${stack}-`));
  const files = names.flatMap((name) => [join(dir, name, "record.json"), join(dir, name, "public")]);
  const seen = await Promise.all(
    files.map(async (file) => [file, await unlessAbsent(lstat(file, { bigint: true }))] as const),
  );
  return seen.flatMap(([file, stats]) => (stats === undefined ? [] : [`${file} ${stats.ino} ${stats.mtimeNs}`]));
}

function textOf(file: string | URL): Promise<string | undefined> {
  return unlessAbsent(readFile(file, "utf8"));
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
