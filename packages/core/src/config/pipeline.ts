import type { ParsedStack, Stack } from "../model/stack.ts";
import { assembleStack } from "./assemble.ts";
import { readDocument } from "./document.ts";
import { SecretSource } from "./env-files.ts";
import { chooseEnvironment } from "./environment.ts";
import { Evaluation } from "./evaluate.ts";
import type { FieldPath } from "./field-path.ts";
import { fingerprint } from "./fingerprint.ts";
import { applyLegacySchema } from "./legacy-shape.ts";
import type { LegacyService } from "./legacy-shape.ts";
import type { LoadOptions } from "./options.ts";
import { checkPlacement } from "./placement.ts";
import { runPlugins } from "./plugins.ts";
import { Problems, eachEntry } from "./problems.ts";
import { readDeclaration } from "./schema/declaration.ts";
import { SourceText } from "./source-text.ts";
import { Marks, isTree, treeAt } from "./tree.ts";
import type { Tree } from "./tree.ts";
import { collectResolvers, modulePaths } from "./user-resolvers.ts";
import { hasToken } from "./wiring-token.ts";

export interface PipelineOptions extends LoadOptions {
  /** Folder of the configuration file, absolute. */
  readonly folder: string;
  /** The file as diagnostics show it. */
  readonly file: string;
}

export interface PipelineResult {
  readonly parsed: ParsedStack;
  /** pctl 1.1's fingerprints by service, also of declarations that are refused. */
  readonly fingerprints: ReadonlyMap<string, string>;
}

/** load → environment → resolve → plugins → validate → stack. Each step stops at what makes the next one senseless. */
export async function runPipeline(text: string, options: PipelineOptions): Promise<PipelineResult> {
  const marks = new Marks();
  const source = new SourceText(text);
  const problems = new Problems(options.file, source, marks);
  const none = new Map<string, string>();
  const refused = (fingerprints: ReadonlyMap<string, string> = none): PipelineResult => ({
    parsed: { diagnostics: problems.all() },
    fingerprints,
  });

  const root = readDocument(source, marks, problems);
  if (root === undefined) return refused();
  problems.lookIn(root);
  const repeated = problems.count;
  const environment = chooseEnvironment(root, options, marks, problems);
  if (problems.hasErrorsSince(repeated)) return refused();

  const legacy = options.purpose === "operate" ? new Map<string, LegacyService>() : applyLegacy(root, marks);
  const before = new Set(Object.keys(treeAt(root, "services") ?? {}));
  const evaluation = await resolveTree(root, environment, marks, problems, options);
  const validate = () => void readDeclaration(root, problems);
  if (modulePaths(root, "plugin").length > 0) {
    validate();
    if (problems.hasErrors) {
      evaluation.reportUnset();
      return refused();
    }
    await runPlugins(root, options.folder, problems, validate);
  }
  const fingerprints =
    options.purpose === "operate" ? none : fingerprintAll(root, legacy, before, marks, options.folder);
  // A plugin's problems are told already, with its name.
  if (modulePaths(root, "plugin").length > 0 && problems.hasErrors) return refused(fingerprints);

  checkPlacement(root, marks, problems);
  const warnings = problems.count;
  const declared = readDeclaration(root, problems);
  if (modulePaths(root, "plugin").length > 0) problems.takeSince(warnings);
  const ignored = (service: string) => legacy.get(service)?.ignored ?? [];
  const parsed: { readonly stack?: Stack } =
    declared === undefined
      ? {}
      : assembleStack({ root, declared, environment, marks, problems, evaluation, options, fingerprints, ignored });
  evaluation.reportUnset();
  const diagnostics = problems.all();
  return {
    parsed: problems.hasErrors || parsed.stack === undefined ? { diagnostics } : { stack: parsed.stack, diagnostics },
    fingerprints,
  };
}

function applyLegacy(root: Tree, marks: Marks): Map<string, LegacyService> {
  const found = new Map<string, LegacyService>();
  for (const [name, service] of Object.entries(treeAt(root, "services") ?? {})) {
    const legacy =
      isTree(service) && marks.get(treeAt(root, "services") ?? {}, name)?.merged !== true
        ? applyLegacySchema(service, marks)
        : undefined;
    if (legacy !== undefined) found.set(name, legacy);
  }
  return found;
}

async function resolveTree(
  root: Tree,
  environment: string | undefined,
  marks: Marks,
  problems: Problems,
  options: PipelineOptions,
): Promise<Evaluation> {
  const { env, folder, redactor, purpose } = options;
  const place = environment ?? options.environment;
  const context = { env, folder, ...(place === undefined ? {} : { environment: place }) };
  const resolvers = await collectResolvers(root, options.resolvers ?? [], context, problems);
  const secrets = new SecretSource(
    { cwd: options.cwd, folder, environment: place, env, envFiles: options.envFiles },
    problems,
  );
  if ((options.envFiles ?? []).length > 0) secrets.load();
  const evaluation = new Evaluation({ root, marks, problems, resolvers, secrets, redactor, purpose });
  const hasPlugins = modulePaths(root, "plugin").length > 0;
  await evaluation.resolveAll([], (path) => isResolved(path, purpose, hasPlugins));
  return evaluation;
}

/** Commands that only operate need no service's environment and no credentials; `custom` then is only read where `self` asks. */
function isResolved(path: FieldPath, purpose: "deploy" | "operate", hasPlugins: boolean): boolean {
  const [root, , field, inner] = path;
  if (root === "resolver" || root === "plugin" || String(root).startsWith("x-")) return false;
  if (purpose === "deploy") return true;
  if (root === "custom") return hasPlugins;
  if (root !== "services") return true;
  return !["env", "secrets", "registry", "files"].includes(String(field)) && !(field === "build" && inner === "args");
}

/** Services that 1.1 could not express, or that use what it did not have, get none. */
function fingerprintAll(
  root: Tree,
  legacy: ReadonlyMap<string, LegacyService>,
  before: ReadonlySet<string>,
  marks: Marks,
  folder: string,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, service] of Object.entries(treeAt(root, "services") ?? {})) {
    const known = legacy.get(name);
    // A service that a plugin added never passed 1.1's schema, so nothing of it was dropped.
    if (!isTree(service) || (known === undefined && before.has(name)) || isBeyond(service, marks)) continue;
    const value = fingerprint(service, known?.dropped ?? new Map(), folder);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function isBeyond(service: Tree, marks: Marks): boolean {
  let found = Array.isArray(service["secrets"]) && service["secrets"].length > 0;
  eachEntry(service, ({ container, key, value, path }) => {
    if (path[0] === "provider") return;
    found ||= typeof value === "symbol" || hasToken(value) || marks.get(container, key)?.secret === true;
  });
  return found;
}
