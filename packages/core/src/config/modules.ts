import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "../errors/message-of.ts";

/**
 * Loads a module of the user's: CommonJS, ES module or TypeScript; a path relative to the configuration's folder, or the
 * name of a package installed there. Gives what it exports: `export default`, `module.exports`, or `exports.default` of
 * a transpiled ES module. Throws what loading threw.
 */
export async function loadModule(declared: string, folder: string): Promise<unknown> {
  const path = resolve(folder, declared);
  const isFile = /^\.\.?[/\\]/.test(declared) || isAbsolute(declared) || existsSync(path);
  const file = isFile ? path : createRequire(join(folder, "pctl.yaml")).resolve(declared);
  // A namespace object: what a module exports is the user's.
  let exported: unknown = await import(pathToFileURL(file).href);
  for (let depth = 0; depth < 3 && hasDefault(exported); depth++) exported = exported.default;
  return exported;
}

function hasDefault(value: unknown): value is { default: unknown } {
  return value !== null && typeof value === "object" && "default" in value && value.default !== undefined;
}

/** Why a module could not be loaded, in one sentence, and what to do. */
export function explainLoadFailure(error: unknown): { summary: string; hint?: string } {
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
    return {
      summary: message.split("\n")[0] ?? message,
      hint: "Paths are relative to the configuration file; packages must be installed beside it.",
    };
  }
  if (/(module|exports|require) is not defined in ES module scope/.test(message)) {
    return {
      summary: message.split("\n")[0] ?? message,
      hint: 'The folder\'s package.json says `"type": "module"`: call the file .cjs, or write `export default`.',
    };
  }
  return { summary: message.split("\n")[0] ?? message };
}
