import { posix } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { compilePattern } from "./pattern.ts";

/** What an ignore file says of the paths of a build context. Paths are relative to it, with `/`, without a slash at either end. */
export interface IgnoreRules {
  /** Whether it stays out: the last rule that names the path or a folder above it decides. */
  ignores(path: string): boolean;
  /** Whether something in this ignored folder could be taken back by a later `!` rule. */
  mayKeepWithin(folder: string): boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly keeps: boolean;
  /** The cleaned pattern. */
  readonly text: string;
}

/**
 * Reads a `.dockerignore` by the rules of Docker: lines, comments only at the first column, spaces around a pattern and
 * a leading or trailing slash do not count, `!` takes back, later rules win.
 * @throws `INVALID` with `name` and line where a pattern is none.
 */
export function readIgnoreRules(text: string, name: string): IgnoreRules {
  return ignoreRules(
    text
      .replace(/^\u{feff}/u, "")
      .split("\n")
      .flatMap((line, index) => ruleIn(line, `${name}:${index + 1}`)),
  );
}

export const noIgnoreRules: IgnoreRules = ignoreRules([]);

function ignoreRules(rules: readonly Rule[]): IgnoreRules {
  const exceptions = rules.filter((each) => each.keeps);
  return {
    ignores(path) {
      const itself = [...foldersAbove(path), path];
      const deciding = rules.findLast((rule) => itself.some((each) => rule.pattern.test(each)));
      return deciding !== undefined && !deciding.keeps;
    },
    mayKeepWithin: (folder) => exceptions.some((rule) => mayReach(rule.text, folder)),
  };
}

function ruleIn(line: string, at: string): readonly Rule[] {
  if (line.startsWith("#")) return [];
  const trimmed = line.trim();
  if (trimmed === "") return [];
  const keeps = trimmed.startsWith("!");
  const text = cleaned(keeps ? trimmed.slice(1).trim() : trimmed);
  if (text === "") {
    throw new CtrlPlaneError("INVALID", `${at}: "!" stands alone`, {
      target: at,
      hint: "Behind it stands what is to be taken back, such as `!src`.",
    });
  }
  try {
    return [{ pattern: compilePattern(text), keeps, text }];
  } catch (error) {
    if (!(error instanceof CtrlPlaneError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new CtrlPlaneError(error.code, `${at}: ${error.message}`, { ...hint, target: at, cause: error });
  }
}

/** The shortest path that means the same, without slashes at its ends. */
function cleaned(pattern: string): string {
  if (pattern === "") return "";
  const shortest = posix.normalize(pattern);
  const withoutEnd = shortest.length > 1 && shortest.endsWith("/") ? shortest.slice(0, -1) : shortest;
  return withoutEnd.length > 1 && withoutEnd.startsWith("/") ? withoutEnd.slice(1) : withoutEnd;
}

/** `a` and `a/b` for `a/b/c`. */
export function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Compares as far as the pattern has no wildcard. */
function mayReach(pattern: string, folder: string): boolean {
  const wild = pattern.search(/[*?[\\]/);
  if (wild < 0) return pattern.startsWith(`${folder}/`);
  const plain = pattern.slice(0, wild);
  return plain.startsWith(`${folder}/`) || `${folder}/`.startsWith(plain);
}
