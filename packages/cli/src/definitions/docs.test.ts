import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { readCommandLine } from "../arguments/program.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { grammar } from "./index.ts";

const root = join(import.meta.dirname, "../../../..");
const pages = globSync(["docs/*.md", "examples/**/*.md", "README.md", "ARCHITECTURE.md"], {
  cwd: root,
  exclude: ["**/node_modules/**"],
});

/** Come with canary releases, which the schema of `pctl.yaml` describes already. */
const yetToCome = new Set(["promote", "abort"]);

/** Command lines of a page, without `pctl`: in code spans, and at the start of a line of a block. */
function commandsOf(text: string): string[] {
  const spans = [...text.matchAll(/`pctl ([^`\n]+)`/g)];
  const lines = [...text.matchAll(/^(?:\$ )?(?:npx )?pctl ([^\n]+)$/gm)];
  return [...spans, ...lines].map(([, line = ""]) => line.replace(/\s+#.*$/, "").trim());
}

/** As a shell would take it apart, as far as the pages need it; undefined for what only stands for a command. */
function wordsOf(line: string): string[] | undefined {
  if (/[…|<>*]|\.\.\./.test(line) || line === "") return undefined;
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
}

test("every command line in the documentation is understood", () => {
  const refused: string[] = [];
  let read = 0;
  for (const page of pages) {
    for (const line of commandsOf(readFileSync(join(root, page), "utf8"))) {
      const words = wordsOf(line);
      if (words === undefined || words.includes("--help") || words.includes("--version")) continue;
      if (yetToCome.has(words[0] ?? "")) continue;
      read += 1;
      try {
        readCommandLine(words, grammar, "0.0.0");
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        // A page may name a command without its arguments.
        if (words.length === 1 && error.message.startsWith("missing required argument")) continue;
        refused.push(`${relative(root, join(root, page))}: pctl ${line}: ${error.message}`);
      }
    }
  }
  assert.deepEqual(refused, []);
  assert.ok(read > 50, `${read} command lines`);
});
