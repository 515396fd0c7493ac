import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRedactor, parseStack, type Stack } from "@ctrlplane/core";
import { parse } from "yaml";
import { fromCompose, type CheckedTranslation } from "../init/from-compose.ts";

export interface Tried extends CheckedTranslation {
  /** What was written, as plain data. */
  readonly written: { readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  /** What pctl makes of it. */
  readonly stack: Stack | undefined;
}

/** Translates a compose file in a folder of its own, which is called `project`, and reads the result as `pctl` does. */
export async function tryCompose(
  text: string,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Tried> {
  const root = mkdtempSync(join(tmpdir(), "pctl-compose-"));
  const folder = join(root, "project");
  try {
    for (const [path, content] of Object.entries({ "compose.yaml": text, ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const checked = await fromCompose({ from: "compose.yaml", cwd: folder, folder, env }, join(folder, "pctl.yaml"));
    const { stack } = await parseStack(checked.text, {
      cwd: folder,
      env,
      envFiles: checked.envFiles,
      redactor: createRedactor(),
      purpose: "deploy",
      providerTypes: [{ type: "docker" }],
    });
    return { ...checked, written: parse(checked.text) as Tried["written"], stack }; // checked against the schema above
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** One service `web` of `busybox` with these lines below it. */
export function web(...lines: readonly string[]): string {
  return `services:\n  web:\n    image: busybox\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** `left out: …` and `differs: …`, as they are found. */
export function notesOf({ notes }: Pick<Tried, "notes">): string[] {
  return notes.map(({ severity, summary }) => `${severity === "warning" ? "left out" : "differs"}: ${summary}`);
}
