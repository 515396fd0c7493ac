import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import { readYamlSource, type Diagnostic } from "@ctrlplane/core";
import { commentsOf, type Comments } from "./comments.ts";
import type { Draft, Surroundings } from "./draft.ts";
import { extendService, type OpenSource } from "./extends.ts";
import { Field, newReading, type ComposeSource, type Reading } from "./field.ts";
import { stackName } from "../init/stack-name.ts";
import { jobsOf } from "./needs.ts";
import { declareReached } from "./reached.ts";
import { translateService } from "./service.ts";
import { sayOfStack } from "./top-level.ts";
import { newVariables, templateOf, valueNow, type Variables } from "./variables.ts";
import { writeStack } from "./write.ts";

export interface TranslateOptions {
  /** The compose file, as it was named; relative to `cwd`. */
  readonly from: string;
  /** Absolute. */
  readonly cwd: string;
  /** Folder of the file that is to be written, absolute. */
  readonly folder: string;
  /** `--name`. */
  readonly name?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Translation {
  /** What is to be written; undefined where `problems` say why not. */
  readonly text?: string;
  readonly name: string;
  readonly services: readonly string[];
  /** What is wrong with the compose file: all of it. */
  readonly problems: readonly Diagnostic[];
  /** What has no counterpart (warnings), and what is different (infos). */
  readonly notes: readonly Diagnostic[];
  /** Variables without a value, which a deploy needs. */
  readonly required: readonly string[];
  /** Files of services from which a deploy takes their variables, relative to the folder of what is written. */
  readonly envFiles: readonly string[];
  /** Where the compose file has a service. */
  placeOf(service: string): Pick<Diagnostic, "path" | "range">;
}

const hint = "A compose file begins with `services:`.";
const keepText = [
  ["services", "*", "environment", "*"],
  ["services", "*", "build", "args", "*"],
];

/** Reads a compose file by its published specification, and says the same in the words of `pctl.yaml`. */
export function translateCompose(options: TranslateOptions): Translation {
  const path = resolve(options.cwd, options.from);
  const text = readFileSync(path, "utf8");
  const source = readSource(text, showPath(options.cwd, path), dirname(path));
  const nothing = { name: "", services: [], notes: [], required: [], envFiles: [], placeOf: () => ({}) };
  if (source.yaml.root === undefined) return { ...nothing, problems: source.yaml.diagnostics };
  const reading = newReading();
  reading.problems.push(...source.yaml.diagnostics);
  const root = Field.root(reading, source, source.yaml.root);
  const variables = newVariables(readDotEnv(dirname(path)), options.env);
  const project = projectName(root, path, variables);
  const services = extended(root, reading, options.cwd);
  const [active, optional] = byProfile(services);
  const around: Surroundings = {
    variables,
    folder: options.folder,
    project,
    root,
    services: new Set(active.map(({ key }) => String(key))),
    jobs: jobsOf(active),
    notes: [],
    envFiles: new Set(),
  };
  const drafts = active.flatMap((service) => translateService(service, around) ?? []);
  declareReached(drafts);
  const remarks = sayOfStack(root, optional, path, around);
  const name = stackName(options.name ?? project);
  return {
    name,
    services: drafts.map((draft) => draft.name),
    problems: inOrder(reading.problems, source.file),
    notes: inOrder(around.notes, source.file),
    required: [...variables.required],
    envFiles: [...around.envFiles],
    placeOf: (service) => (root.get("services")?.get(service) ?? root).diagnostic("info", "place", ""),
    ...(reading.problems.length > 0
      ? {}
      : { text: write(name, source.file, drafts, commentsOf(text), variables, remarks) }),
  };
}

/** As the file has them, each once: what an anchor brings is found in each service. Those of other files come last. */
function inOrder(found: readonly Diagnostic[], file: string): readonly Diagnostic[] {
  const once = new Map(found.map((each) => [JSON.stringify([each.path, each.range, each.summary]), each]));
  const rank = ({ path, range }: Diagnostic): readonly number[] => [
    path === file ? 0 : 1,
    range?.start.line ?? 0,
    range?.start.column ?? 0,
  ];
  return [...once.values()].toSorted((one, other) => {
    const [a, b] = [rank(one), rank(other)];
    return a.map((each, index) => each - (b[index] ?? 0)).find((each) => each !== 0) ?? 0;
  });
}

function write(
  name: string,
  file: string,
  drafts: readonly Draft[],
  comments: Comments,
  { custom, taken, decided }: Variables,
  remarks: readonly string[],
): string {
  const said = [
    ...(taken.size === 0
      ? []
      : [`${[...taken].join(", ")}: what .env says today is the default here; the environment wins.`]),
    ...(decided.size === 0
      ? []
      : [`${[...decided].join(", ")}: \`+\` has no counterpart, and was decided by the value of today.`]),
  ];
  return writeStack({ name, from: basename(file), drafts, comments, custom, remarks: [...said, ...remarks] });
}

function readSource(text: string, file: string, folder: string): ComposeSource {
  return { file, folder, yaml: readYamlSource(text, { file, hint, keepText }) };
}

function showPath(cwd: string, path: string): string {
  const shown = relative(cwd, path);
  return shown.startsWith("..") ? path : shown;
}

/** Beside the compose file, as compose reads it. */
function readDotEnv(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, ".env");
  if (!existsSync(path)) return {};
  return Object.fromEntries(
    Object.entries(parseEnv(readFileSync(path, "utf8"))).map(([name, value]) => [name, value ?? ""]),
  );
}

/** As compose makes it: `name`, COMPOSE_PROJECT_NAME, or the folder's. */
function projectName(root: Field, path: string, variables: Variables): string {
  const named = root.get("name");
  const template = named === undefined ? undefined : templateOf(named);
  const given = template === undefined ? undefined : valueNow(template, variables);
  const { env, dotEnv } = variables;
  const name = [env["COMPOSE_PROJECT_NAME"] ?? dotEnv["COMPOSE_PROJECT_NAME"], given].find(
    (each) => each !== undefined && each !== "",
  );
  const made = (name ?? basename(dirname(path)))
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
  return made === "" ? "app" : made;
}

function extended(root: Field, reading: Reading, cwd: string): Field[] {
  const known = new Map<string, ComposeSource>();
  const open: OpenSource = (at, declared) => {
    const path = resolve(at.folder, declared);
    const before = known.get(path);
    if (before !== undefined) return before;
    if (!existsSync(path)) return at.problem(`${declared} does not exist`, "The path is relative to the compose file.");
    const source = readSource(readFileSync(path, "utf8"), showPath(cwd, path), dirname(path));
    reading.problems.push(...source.yaml.diagnostics);
    known.set(path, source);
    return source;
  };
  const services = root.get("services");
  if (services === undefined) root.problem("there are no services", hint);
  return (services?.entries() ?? []).map((service) => extendService(service, reading, open));
}

/** Those that compose starts when no profile is asked for, and the others. */
function byProfile(services: readonly Field[]): readonly [Field[], Field[]] {
  const hasProfile = (service: Field): boolean => (service.get("profiles")?.items() ?? []).length > 0;
  return [services.filter((each) => !hasProfile(each)), services.filter(hasProfile)];
}
