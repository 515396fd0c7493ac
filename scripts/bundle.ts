// Builds what runs: of each package few files, so that a command reads few. Packages of ours stay apart and find each other by
// name, so that a user's provider shares one core with pctl; what others wrote is built in, as far as it is used, with its
// licences. Prints the files that it made, one a line; `npm run build` calls it when a source changed.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { rolldown, type OutputChunk } from "rolldown";

const root = join(import.meta.dirname, "..");

/** Files of a package that start a process, or that a bench measures, besides what its manifest exports. */
const programs = ["src/main.ts", "src/shim.ts", "src/*/main.ts", "src/process/start-shim.ts"];

const packages = globSync(["packages/*/package.json", "packages/providers/*/package.json"], { cwd: root }).map(dirname);
const written = await Promise.all(packages.map(bundle));
process.stdout.write(`${written.flat().join("\n")}\n`);

async function bundle(folder: string): Promise<string[]> {
  const home = join(root, folder);
  const build = await rolldown({
    cwd: home,
    input: Object.fromEntries(entriesOf(home).map((file) => [file.slice("src/".length, -".ts".length), file])),
    external: /^(@ctrlplane\/|node:)/,
    platform: "node",
    tsconfig: false,
    // The oldest that a manifest's `engines` allows.
    transform: { target: "node22.18" },
  });
  const { output } = await build.generate({
    entryFileNames: "[name].js",
    // Beside the entries at the root: what finds files by `import.meta.url` stands there in `src` as well (see checkPlace).
    chunkFileNames: "[name].js",
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: false },
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  });
  await build.close();
  const files = new Map(
    output.map((each) => [each.fileName, each.type === "chunk" ? inAscii(each.code) : String(each.source)] as const),
  );
  const chunks = output.filter((each) => each.type === "chunk");
  for (const chunk of chunks) checkPlace(home, chunk);
  const licenses = licensesOf(chunks.flatMap((each) => each.moduleIds));
  if (licenses !== "") files.set("licenses.txt", licenses);
  return replace(join(home, "dist"), files).map((file) => relative(root, file));
}

/** Node keeps a text of ASCII alone in half the memory, and reads it in half the time. */
function inAscii(code: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return code.replaceAll(/\P{ASCII}/gu, (character) => character.split("").map(escaped).join(""));
}

/** Relative to the package: what it exports, and its programs. */
function entriesOf(home: string): string[] {
  const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
    exports?: Record<string, { source?: string }>;
  };
  const exported = Object.values(manifest.exports ?? {}).flatMap(({ source }) => source?.slice("./".length) ?? []);
  return [...new Set([...exported, ...globSync(programs, { cwd: home })])];
}

/** A file that looks beside itself has to lie in the same folder of `dist` as of `src`. */
function checkPlace(home: string, chunk: OutputChunk): void {
  for (const id of chunk.moduleIds) {
    const source = relative(join(home, "src"), id);
    if (source.startsWith("..") || !existsSync(id) || !readFileSync(id, "utf8").includes("import.meta.url")) continue;
    if (dirname(source) === dirname(chunk.fileName)) continue;
    throw new Error(`${source} uses import.meta.url and would be in ${chunk.fileName}: move it to the root of src`);
  }
}

/** The licence of each package of others that is built in. */
function licensesOf(ids: readonly string[]): string {
  const folders = new Set(ids.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  const texts = [...folders].toSorted().map((folder) => {
    const [license] = globSync("licen[cs]e*", { cwd: folder }).concat(globSync("LICEN[CS]E*", { cwd: folder }));
    if (license === undefined) throw new Error(`${folder} has no licence that could go with it`);
    return `${folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length)}\n\n${readFileSync(join(folder, license), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** Writes what differs, so that a version told by the files' times changes with their content alone, and removes the rest. */
function replace(dist: string, files: ReadonlyMap<string, string>): string[] {
  for (const [name, text] of files) {
    const file = join(dist, name);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  for (const name of globSync("**/*.{js,js.map}", { cwd: dist })) if (!files.has(name)) rmSync(join(dist, name));
  return [...files.keys()].map((name) => join(dist, name));
}
