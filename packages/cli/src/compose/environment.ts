import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import type { Template } from "./interpolation.ts";
import { parseInterpolation } from "./interpolation.ts";
import { isSecretVariable, looksSecret, templateOf, valueNow, writeForEnv } from "./variables.ts";

/** Values that stand in the file as text become `env`, variables that hold secrets `secrets`. */
export function translateEnvironment(field: Field, draft: Draft): void {
  const { variables } = draft.around;
  const spelledOut: string[] = [];
  for (const [name, value, at] of variablesOf(field)) {
    if (value === undefined) {
      passOn(name, draft);
      continue;
    }
    const template = parseInterpolation(value);
    if (template === undefined) {
      // Says what is wrong.
      templateOf(at);
      continue;
    }
    const secret = secretOf(template, draft);
    if (secret !== undefined) {
      draft.addSecret(name, secret);
      if (variables.env[secret] === undefined && variables.dotEnv[secret] === undefined) variables.required.add(secret);
      continue;
    }
    draft.merge("env", { [name]: writeForEnv(template, variables) });
    if (template.every((part) => typeof part === "string") && value !== "" && holdsSecret(name)) spelledOut.push(name);
  }
  if (spelledOut.length > 0)
    draft.differs(
      field,
      `${spelledOut.join(", ")} ${spelledOut.length === 1 ? "stands" : "stand"} here as text`,
      `\`secrets: [${spelledOut.join(", ")}]\` takes ${spelledOut.length === 1 ? "it" : "them"} from the environment or .env.`,
    );
}

/** Entries of a map or of a list of `NAME=value`; without a value: passed on from the environment. */
export function variablesOf(field: Field): (readonly [name: string, value: string | undefined, at: Field])[] {
  const found = new Map<string, readonly [string, string | undefined, Field]>();
  for (const each of field.isList ? [] : field.entries()) {
    const name = String(each.key);
    const value = each.value === null ? undefined : each.text;
    if (value !== undefined || each.value === null) found.set(name, [name, value, each]);
  }
  if (!field.isList) return [...found.values()];
  for (const item of field.items()) {
    const { text } = item;
    if (text === undefined) continue;
    const [, name = "", value] = /^([^=]*)(?:=([^]*))?$/.exec(text) ?? [];
    if (name === "") item.problem(`${JSON.stringify(text)} names no variable`, "Write NAME=value.");
    // The last one counts.
    else found.set(name, [name, value, item]);
  }
  return [...found.values()];
}

function passOn(name: string, draft: Draft): void {
  const { variables } = draft.around;
  draft.addSecret(name, name);
  if (variables.env[name] === undefined && variables.dotEnv[name] === undefined) variables.required.add(name);
}

/** The one variable that the text is made of, where it may hold a secret and has no default. */
function secretOf(template: Template, draft: Draft): string | undefined {
  const [only, ...more] = template;
  if (only === undefined || typeof only === "string" || more.length > 0) return undefined;
  if (only.form !== "plain" && only.form !== "required") return undefined;
  return isSecretVariable(only, draft.around.variables) ? only.name : undefined;
}

/** `POSTGRES_PASSWORD_FILE` is a path, `API_URL` mostly no secret. */
function holdsSecret(name: string): boolean {
  return looksSecret(name) && !/_FILE$|ur[li]$|host|user/i.test(name);
}

/** Names of the file's variables become `secrets`: its values stay where they are, and are looked up there by each deploy. */
export function translateEnvFile(field: Field, draft: Draft, environment: Field | undefined): void {
  const own = new Set(environment === undefined ? [] : variablesOf(environment).map(([name]) => name));
  for (const item of field.isList ? field.items() : [field]) addFile(item, own, draft);
}

function addFile(item: Field, own: ReadonlySet<string>, draft: Draft): void {
  const { variables, folder } = draft.around;
  const at = item.isMap ? item.get("path") : item;
  const template = at === undefined ? undefined : templateOf(at);
  if (template === undefined) return at === undefined ? item.problem("an env_file needs its `path`") : undefined;
  const declared = valueNow(template, variables);
  const path = resolve(item.folder, declared);
  if (!existsSync(path)) {
    if (item.get("required")?.value === false) return;
    return draft.leave(
      item,
      `${declared} does not exist`,
      "Name its variables under `secrets: [NAME]`, and set them in .env.",
    );
  }
  const values = parseEnv(readFileSync(path, "utf8"));
  const names = Object.keys(values).filter((name) => !own.has(name) && !draft.secrets.has(name));
  const shown = relative(folder, path);
  if (shown !== ".env") draft.around.envFiles.add(shown);
  for (const name of names) draft.addSecret(name, nameOf(name, values[name] ?? "", shown, item, draft));
}

/** The secret that has the value. Two files may give one name different values, where a deploy knows only one. */
const seenValues = new WeakMap<object, Map<string, string>>();

function nameOf(name: string, value: string, file: string, item: Field, draft: Draft): string {
  const { variables } = draft.around;
  const seen = seenValues.get(variables) ?? new Map(Object.entries(variables.dotEnv));
  seenValues.set(variables, seen);
  const before = seen.get(name);
  if (before === undefined || before === value) {
    seen.set(name, value);
    return name;
  }
  const other = `${draft.name.toUpperCase().replaceAll(/\W/g, "_")}_${name}`;
  variables.required.add(other);
  draft.differs(
    item,
    `${name} has another value in ${file} than elsewhere`,
    `A deploy knows one value of a name: add ${other} to .env with the value that ${file} has.`,
  );
  return other;
}
