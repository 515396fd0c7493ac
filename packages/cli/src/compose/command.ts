import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import type { Template, Variable } from "./interpolation.ts";
import { escapeText, isSecretVariable, templateOf, writeForEnv, writePlain } from "./variables.ts";

/** Words as compose has them: a list, or a text that is split as a shell would, with no shell behind it. */
export function wordsOf(field: Field): Template[] | undefined {
  if (field.isList)
    return field.items().flatMap((item) => {
      const word = templateOf(item);
      return word === undefined ? [] : [word];
    });
  const template = templateOf(field);
  if (template === undefined) return undefined;
  return splitWords(template) ?? field.problem("a quote of this command is not closed", "Close it, or write a list.");
}

/** `command` and `entrypoint` become lists: a text would run by a shell here. */
export function translateCommand(field: Field, draft: Draft): void {
  const key = String(field.key);
  const words = wordsOf(field);
  if (words === undefined) return;
  if (words.length === 0 && key === "command")
    return draft.leave(
      field,
      "an empty `command` takes the image's own away",
      "Write `entrypoint` with all that is to run, or change the image.",
    );
  draft.set(key, writeWords(words, draft));
}

/** A list of arguments. Where one holds a secret, a shell takes it from the environment, so that it stands in no file. */
export function writeWords(words: readonly Template[], draft: Draft): readonly string[] {
  const { variables } = draft.around;
  const isSecret = (part: string | Variable): boolean => typeof part !== "string" && isSecretVariable(part, variables);
  if (!words.some((word) => word.some(isSecret))) return words.map((word) => writePlain(word, variables));
  const [shell, flag, script, ...rest] = words;
  if (
    shell !== undefined &&
    flag !== undefined &&
    script !== undefined &&
    isShell(shell, flag) &&
    !rest.flat().some(isSecret)
  )
    return [
      ...[shell, flag].map((word) => writePlain(word, variables)),
      writeScript(script, draft),
      ...rest.map((word) => writePlain(word, variables)),
    ];
  return ["sh", "-c", `exec ${words.map((word) => quoteWord(word, draft)).join(" ")}`];
}

function isShell([shell]: Template, [flag]: Template): boolean {
  return (
    typeof shell === "string" && /(^|\/)(ba|da|a|z)?sh$/.test(shell) && typeof flag === "string" && /^-\w*c$/.test(flag)
  );
}

/** A text for a shell: secrets are its variables, all else is filled in. */
export function writeScript(script: Template, draft: Draft): string {
  const { variables } = draft.around;
  let text = "";
  // Several parts that belong together are written together, so that a dollar before an expression is seen.
  let plain: (string | Variable)[] = [];
  for (const part of script) {
    if (typeof part === "string" || !isSecretVariable(part, variables)) plain.push(part);
    else {
      text += `${writePlain(plain, variables)}\${${provide(part, draft)}}`;
      plain = [];
    }
  }
  return text + writePlain(plain, variables);
}

function quoteWord(word: Template, draft: Draft): string {
  const quoted = word.map((part) => {
    if (typeof part !== "string") return `"$${provide(part, draft)}"`;
    return /^[\w@%+=:,./-]+$/.test(part) ? part : `'${escapeText(part).replaceAll("'", `'\\''`)}'`;
  });
  return quoted.join("");
}

/** The name under which the service's environment has the variable. */
function provide(part: Variable, draft: Draft): string {
  const { variables } = draft.around;
  const value = writeForEnv([part], variables);
  const isWhole = value === `\${secret:${part.name}}`;
  const known = isWhole ? [...draft.secrets].find(([, secret]) => secret === part.name)?.[0] : undefined;
  const env = draft.map("env");
  const same = known ?? Object.keys(env).find((name) => env[name] === value);
  if (same !== undefined) return same;
  let name = part.name;
  for (let number = 2; Object.hasOwn(env, name) || draft.secrets.has(name); number++) name = `${part.name}_${number}`;
  if (isWhole) draft.addSecret(name, part.name);
  else draft.merge("env", { [name]: value });
  return name;
}

/** Undefined where a quote stays open. */
export function splitWords(template: Template): Template[] | undefined {
  const words: (string | Variable)[][] = [];
  let word: (string | Variable)[] | undefined;
  let quote = "";
  const push = (piece: string | Variable): void => {
    word ??= [];
    const last = word.at(-1);
    if (typeof piece === "string" && typeof last === "string") word[word.length - 1] = last + piece;
    else word.push(piece);
  };
  for (const part of template) {
    if (typeof part !== "string") {
      push(part);
      continue;
    }
    for (let at = 0; at < part.length; at++) {
      const letter = part.charAt(at);
      if (letter === "\\" && quote !== "'" && (quote === "" || /["\\]/.test(part.charAt(at + 1))))
        push(part.charAt(++at));
      else if (quote === "" && /["']/.test(letter)) {
        quote = letter;
        push("");
      } else if (letter === quote) quote = "";
      else if (quote === "" && /\s/.test(letter)) {
        if (word !== undefined) words.push(word);
        word = undefined;
      } else push(letter);
    }
  }
  if (word !== undefined) words.push(word);
  return quote === "" ? words.map((each) => each.filter((part) => part !== "" || each.length === 1)) : undefined;
}
