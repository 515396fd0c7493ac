import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A service that the folder suggests. */
export interface FoundService {
  readonly name: string;
  /** A list, or a line for the shell. */
  readonly command: readonly string[] | string;
  /** The port that it listens on; absent for one that serves nobody. */
  readonly port?: number;
}

export interface FolderSurvey {
  /** The name that the project gives itself. */
  readonly name?: string;
  /** Files that something was taken from. */
  readonly seen: readonly string[];
  readonly services: readonly FoundService[];
  /** There is a Dockerfile, a compose file. */
  readonly dockerfile: boolean;
  readonly compose?: string;
}

const composeFiles = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const defaultPort = 3000;

/** What can be told of a project by its files, without running any of it. */
export async function surveyFolder(folder: string): Promise<FolderSurvey> {
  const files = new Set(await readdir(folder));
  const read = (name: string): Promise<string | undefined> =>
    files.has(name) ? readFile(join(folder, name), "utf8") : Promise.resolve(undefined);
  const manifest = parseManifest(await read("package.json"));
  const dockerfile = await read("Dockerfile");
  const procfile = await read("Procfile");
  const compose = composeFiles.find((each) => files.has(each));
  const port = exposedPort(dockerfile) ?? defaultPort;
  const services =
    procfile === undefined ? oneService(manifest, dockerfile, files, port) : parseProcfile(procfile, port);
  const seen = ["package.json", "Dockerfile", "Procfile", ...composeFiles, ...entryFiles.map(([file]) => file)].filter(
    (each) => files.has(each),
  );
  return {
    ...(manifest?.name === undefined ? {} : { name: manifest.name }),
    ...(compose === undefined ? {} : { compose }),
    dockerfile: dockerfile !== undefined,
    seen,
    services,
  };
}

interface Manifest {
  readonly name?: string;
  readonly start?: string;
  readonly main?: string;
}

function parseManifest(text: string | undefined): Manifest | undefined {
  if (text === undefined) return undefined;
  const json = parseJson(text) as { name?: unknown; main?: unknown; scripts?: { start?: unknown } } | undefined; // each field is checked below
  const string = (value: unknown): string | undefined =>
    typeof value === "string" && value !== "" ? value : undefined;
  const [name, start, main] = [string(json?.name), string(json?.scripts?.start), string(json?.main)];
  return {
    ...(name === undefined ? {} : { name }),
    ...(start === undefined ? {} : { start }),
    ...(main === undefined ? {} : { main }),
  };
}

/** Undefined for what is no JSON: a broken manifest is npm's business, and suggests nothing here. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const entryFiles: readonly (readonly [string, readonly string[] | string])[] = [
  ["server.js", ["node", "server.js"]],
  ["server.mjs", ["node", "server.mjs"]],
  ["server.ts", ["node", "server.ts"]],
  ["app.js", ["node", "app.js"]],
  ["index.js", ["node", "index.js"]],
  ["main.py", ["python3", "main.py"]],
  ["app.py", ["python3", "app.py"]],
  ["server.py", ["python3", "server.py"]],
  ["index.html", "python3 -m http.server $PORT"],
];

function oneService(
  manifest: Manifest | undefined,
  dockerfile: string | undefined,
  files: ReadonlySet<string>,
  port: number,
): FoundService[] {
  const command =
    startCommand(manifest) ?? dockerCommand(dockerfile) ?? entryFiles.find(([file]) => files.has(file))?.[1];
  return command === undefined ? [] : [{ name: "web", command, port }];
}

/** `node server.js` goes without npm in between: a signal reaches the server itself. */
function startCommand(manifest: Manifest | undefined): readonly string[] | undefined {
  const start = manifest?.start;
  if (start !== undefined) return /^node [\w./-]+$/.test(start) ? start.split(" ") : ["npm", "start"];
  return manifest?.main === undefined ? undefined : ["node", manifest.main];
}

function dockerCommand(dockerfile: string | undefined): readonly string[] | undefined {
  const list = /^CMD\s+(\[.*\])\s*$/im.exec(dockerfile ?? "")?.[1];
  const words = list === undefined ? undefined : parseJson(list);
  return Array.isArray(words) && words.every((each) => typeof each === "string") && words.length > 0
    ? words
    : undefined;
}

function exposedPort(dockerfile: string | undefined): number | undefined {
  const port = Number(/^EXPOSE\s+(\d+)/im.exec(dockerfile ?? "")?.[1]);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `web: …` is the one that serves. */
function parseProcfile(text: string, port: number): FoundService[] {
  return [...text.matchAll(/^([A-Za-z0-9_-]+):\s*(\S.*)$/gm)].map(([, name = "", command = ""]) => ({
    name: name.toLowerCase().replaceAll("_", "-"),
    command: command.trim(),
    ...(name === "web" ? { port } : {}),
  }));
}
