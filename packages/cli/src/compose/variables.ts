import { interpolate, parseInterpolation, type Template, type Variable } from "./interpolation.ts";
import type { Field } from "./field.ts";

/** Variables of a compose file, and how they are written in `pctl.yaml`. */
export interface Variables {
  /** Values of `.env` beside the compose file. */
  readonly dotEnv: Readonly<Record<string, string>>;
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Texts that cannot stand inside an expression, by their names under `custom`. */
  readonly custom: Map<string, string>;
  /** Variables that have to have a value before a deploy. */
  readonly required: Set<string>;
  /** Variables whose value of today became the default. */
  readonly taken: Set<string>;
  /** Variables whose `:+` was decided by what they are today. */
  readonly decided: Set<string>;
}

export function newVariables(
  dotEnv: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): Variables {
  return { dotEnv, env, custom: new Map(), required: new Set(), taken: new Set(), decided: new Set() };
}

/** Read as compose reads it; undefined, with a problem, where it is no scalar or ill-formed. */
export function templateOf(field: Field): Template | undefined {
  const { text } = field;
  if (text === undefined) return undefined;
  return (
    parseInterpolation(text) ??
    field.problem(
      `${JSON.stringify(text)} has a \`$\` that begins no variable`,
      "Write $$ for a plain dollar, ${NAME} for a variable.",
    )
  );
}

/** What compose would read now; variables without a value are noted as required. */
export function valueNow(template: Template, { env, dotEnv, required }: Variables): string {
  return interpolate(template, (name) => {
    const value = env[name] ?? dotEnv[name];
    if (value === undefined && template.some((part) => isNeeded(part, name))) required.add(name);
    return value;
  });
}

function isNeeded(part: string | Variable, name: string): boolean {
  return typeof part !== "string" && part.name === name && (part.form === "plain" || part.form === "required");
}

/** Whether its value may not stand in the file. */
export function isSecretVariable({ name }: Variable, { dotEnv }: Variables): boolean {
  return looksSecret(name) || (dotEnv[name] !== undefined && !isPlain(dotEnv[name]));
}

export function looksSecret(name: string): boolean {
  return /pass|pwd|secret|token|key|credential|auth|dsn|ur[li]|private|cert|salt|jwt|session|cookie|hook/i.test(name);
}

/** A word or a number: what people write for a name, a tag, a port. */
function isPlain(value: string): boolean {
  return (
    /^(?:[A-Za-z]+(?:[._-]?[A-Za-z]+)*(?:[._-]?v?\d[\d.]{0,9})?|v?\d[\d.]{0,9}|)$/.test(value) && value.length <= 32
  );
}

/** Expressions for a place that must not hold secrets. */
export function writePlain(template: Template, variables: Variables): string {
  return write(template, variables, () => "env");
}

/** Expressions for `env`. */
export function writeForEnv(template: Template, variables: Variables): string {
  return write(template, variables, (part) => (isSecretVariable(part, variables) ? "secret" : "env"));
}

function write(template: Template, variables: Variables, resolver: (part: Variable) => "env" | "secret"): string {
  let text = "";
  for (const part of template) {
    if (typeof part === "string") {
      text += escapeText(part);
      continue;
    }
    const expression = writeVariable(part, variables, resolver);
    // `$` before an expression would read as its escape.
    const [dollars] = expression.startsWith("${") ? (/\$+$/.exec(text) ?? []) : [];
    if (dollars !== undefined) text = text.slice(0, -dollars.length) + customText(dollars, variables);
    text += expression;
  }
  return text;
}

function writeVariable(part: Variable, variables: Variables, resolver: (part: Variable) => "env" | "secret"): string {
  const { name, form, emptyIsUnset, word } = part;
  const { env, dotEnv, required, taken, decided } = variables;
  const today = dotEnv[name];
  if (form === "alternative") {
    const value = env[name] ?? today;
    decided.add(name);
    return value === undefined || (emptyIsUnset && value === "") ? "" : write(word, variables, resolver);
  }
  const kind = resolver(part);
  if (kind === "env" && today !== undefined && !(form === "default" && emptyIsUnset && today === "")) {
    taken.add(name);
    return `\${env:${name}, ${writeFallback([today], variables, resolver)}}`;
  }
  if (form === "default") return `\${${kind}:${name}, ${writeFallback(word, variables, resolver)}}`;
  if (env[name] === undefined && today === undefined) required.add(name);
  return `\${${kind}:${name}}`;
}

/** A fallback is trimmed, and its braces are counted: what would not survive stands under `custom`. */
function writeFallback(word: Template, variables: Variables, resolver: (part: Variable) => "env" | "secret"): string {
  const text = word.filter((part) => typeof part === "string").join("");
  const [first, last] = [word[0], word.at(-1)];
  const isTrimmed = (typeof first === "string" && /^\s/.test(first)) || (typeof last === "string" && /\s$/.test(last));
  if (!isTrimmed && isBalanced(text) && !text.includes("${")) return write(word, variables, resolver);
  const parts = word.map((part) =>
    typeof part === "string" ? customText(part, variables) : writeVariable(part, variables, resolver),
  );
  return parts.join("");
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const letter of text) {
    if (letter === "{") depth++;
    if (letter === "}" && --depth < 0) return false;
  }
  return depth === 0;
}

/** An expression that stands for this text. */
function customText(text: string, { custom }: Variables): string {
  const known = [...custom].find(([, value]) => value === text)?.[0];
  const name = known ?? `text${custom.size + 1}`;
  custom.set(name, text);
  return `\${self:custom.${name}}`;
}

/** `${` as text. */
export function escapeText(text: string): string {
  // A function: `$$` means something else in a replacement.
  return text.replaceAll("${", () => "$${");
}
