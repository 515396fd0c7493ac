import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import type { Diagnostic } from "../errors/diagnostic.ts";
import type { ParsedStack } from "../model/stack.ts";
import { errorCode } from "./env-files.ts";
import type { LoadOptions } from "./options.ts";
import { runPipeline } from "./pipeline.ts";

/** Reads the configuration file and all that it refers to. `file` as the user named it, relative to `options.cwd`. */
export async function loadStack(file: string, options: LoadOptions): Promise<ParsedStack> {
  const path = resolve(options.cwd, file);
  const shown = showPath(path, options.cwd);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return { diagnostics: [explainUnreadable(error, shown)] };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return await parse(text, dirname(path), shown, options);
  } catch (error) {
    if (errorCode(error) !== "ERR_ENCODING_INVALID_ENCODED_DATA") throw error;
    const hint = "Save it as UTF-8; a binary file is no declaration.";
    return {
      diagnostics: [{ severity: "error", code: "not-yaml", summary: "the file is not UTF-8 text", path: shown, hint }],
    };
  }
}

/** As `loadStack`, of a text; `file` says where it would stand, for positions and relative paths. Default: `pctl.yaml` in `cwd`. */
export function parseStack(text: string, options: LoadOptions & { readonly file?: string }): Promise<ParsedStack> {
  const path = resolve(options.cwd, options.file ?? "pctl.yaml");
  return parse(text, dirname(path), showPath(path, options.cwd), options);
}

async function parse(text: string, folder: string, file: string, options: LoadOptions): Promise<ParsedStack> {
  const { parsed } = await runPipeline(text, { ...options, folder, file });
  return { ...parsed, diagnostics: parsed.diagnostics.map((each) => redacted(each, options)) };
}

function redacted(each: Diagnostic, { redactor }: LoadOptions): Diagnostic {
  return {
    ...each,
    summary: redactor.redact(each.summary),
    ...(each.detail === undefined ? {} : { detail: redactor.redact(each.detail) }),
    ...(each.hint === undefined ? {} : { hint: redactor.redact(each.hint) }),
  };
}

/** Relative where it lies below the working directory. */
function showPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === "" || shown.startsWith("..") || isAbsolute(shown) ? path : shown;
}

function explainUnreadable(error: unknown, shown: string): Diagnostic {
  const code = errorCode(error);
  if (code === undefined) throw error;
  const common = { severity: "error", path: shown } as const;
  if (code === "ENOENT" || code === "ENOTDIR")
    return {
      ...common,
      code: "config-missing",
      summary: `there is no ${basename(shown)} here`,
      hint: "`pctl init` writes a first one; -c names another file.",
    };
  if (code === "EISDIR")
    return {
      ...common,
      code: "config-unreadable",
      summary: "this is a folder",
      hint: "Name the file in it: -c FOLDER/pctl.yaml.",
    };
  const why = code === "EACCES" ? "no permission to read it" : code;
  return {
    ...common,
    code: "config-unreadable",
    summary: `the file cannot be read: ${why}`,
    hint: "Check who owns it and its rights.",
  };
}
