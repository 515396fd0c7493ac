import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeDiagnostic } from "../errors/diagnostic.ts";
import { createRedactor } from "../errors/redaction.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { ParsedStack, Stack } from "../model/stack.ts";
import { loadStack, parseStack } from "./load.ts";
import type { LoadOptions } from "./options.ts";

const types = [{ type: "local" }, { type: "docker" }, { type: "eks", aliases: ["aws"] }];

export function optionsFor(change: Partial<LoadOptions> = {}): LoadOptions {
  return { cwd: tmpdir(), env: {}, redactor: createRedactor(), purpose: "deploy", providerTypes: types, ...change };
}

export function parse(text: string, change: Partial<LoadOptions> = {}): Promise<ParsedStack> {
  return parseStack(text, optionsFor(change));
}

/** A file with one service `web` on `local`; `fields` are lines of the service. Its image is a reference, so that no file is needed. */
export function oneService(...fields: readonly string[]): string {
  const image = fields.some((line) => /^(image|build):/.test(line)) ? [] : ["image: nginx:1.27"];
  return [
    "name: shop",
    "provider: local",
    "services:",
    "  web:",
    ...[...image, ...fields].map((line) => `    ${line}`),
    "",
  ].join("\n");
}

export async function specOf(text: string, change: Partial<LoadOptions> = {}, service = "web"): Promise<ServiceSpec> {
  const stack = await stackOf(text, change);
  const found = stack.services[service];
  if (found === undefined) throw new Error(`no service ${service}`);
  return found.spec;
}

export async function stackOf(text: string, change: Partial<LoadOptions> = {}): Promise<Stack> {
  const { stack, diagnostics } = await parse(text, change);
  if (stack === undefined) throw new Error(diagnostics.map(describeDiagnostic).join("\n"));
  return stack;
}

/** `pctl.yaml:3:5: what` of each problem, in order, with its hint behind ` → `. */
export async function problemsOf(text: string, change: Partial<LoadOptions> = {}): Promise<string[]> {
  return told(await parse(text, change));
}

export function told({ diagnostics }: ParsedStack): string[] {
  return diagnostics.map(
    (each) =>
      `${each.severity === "error" ? "" : `${each.severity} `}${describeDiagnostic(each)}${each.hint === undefined ? "" : ` → ${each.hint}`}`,
  );
}

/** A folder with these files, gone after `work`. */
export async function inFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "pctl-config-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads `pctl.yaml` of a folder with these files. */
export function loadFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  change: Partial<LoadOptions> = {},
): Promise<ParsedStack> {
  return inFolder(files, (folder) => loadStack("pctl.yaml", optionsFor({ cwd: folder, ...change })));
}
