import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { writeDeclaration } from "../init/declaration.ts";
import { stackName } from "../init/stack-name.ts";
import { surveyFolder } from "../init/survey.ts";
import { openOutput, type Output } from "../output/output.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  const file = resolve(invocation.text("config") ?? "pctl.yaml");
  const from = invocation.text("from");
  if (from === undefined) await writeFirst(invocation, file, output);
  else await translate(invocation, from, file, output);
  return 0;
}

async function writeFirst(invocation: Invocation, file: string, output: Output): Promise<void> {
  const folder = dirname(file);
  const found = await surveyFolder(folder);
  const name = stackName(invocation.text("name") ?? found.name ?? basename(folder));
  const shown = shownPath(file);
  await save(invocation, file, writeDeclaration(name, found));
  if (output.json) {
    output.document({ file: shown, name, seen: found.seen, services: found.services.map((each) => each.name) });
    return;
  }
  const seen = found.seen.length === 0 ? "Nothing that pctl knows is here" : `Saw ${found.seen.join(", ")}`;
  output.lines([
    `${seen}; wrote ${shown}. Read it: it is short.`,
    ...(found.compose === undefined
      ? []
      : [`pctl init --from ${found.compose} --force translates the compose file instead.`]),
    next(invocation, shown, []),
  ]);
}

async function translate(invocation: Invocation, from: string, file: string, output: Output): Promise<void> {
  if (!existsSync(from))
    throw new UsageError(`there is no ${from} here`, "Name the compose file: --from compose.yaml.");
  // Before the long report, and again when it is written.
  if (existsSync(file) && !invocation.flag("force")) throw isThere(file);
  const [{ fromCompose }, { renderTranslation }] = await Promise.all([
    import("../init/from-compose.ts"),
    import("../output/translation.ts"),
  ]);
  const name = invocation.text("name");
  const options = { from, cwd: process.cwd(), folder: dirname(file), env: process.env, name };
  const translation = await fromCompose(options, file);
  await save(invocation, file, translation.text);
  const shown = shownPath(file);
  const { services, notes, required, envFiles } = translation;
  if (output.json) output.document({ file: shown, name: translation.name, from, services, notes, required, envFiles });
  else {
    const folder = dirname(file);
    const words = envFiles.flatMap((each) => ["--env-file", shownPath(resolve(folder, each))]);
    output.lines([...renderTranslation(translation, from, shown, output.paint), next(invocation, shown, words)]);
  }
}

/** Never over a file that is there, unless told to. */
async function save(invocation: Invocation, file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: invocation.flag("force") ? "w" : "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw isThere(file);
    throw error;
  }
}

function isThere(file: string): UsageError {
  return new UsageError(
    `${shownPath(file)} is there already, and was not touched`,
    "pctl check says whether it is right; --force writes over it.",
  );
}

function shownPath(file: string): string {
  return relative(process.cwd(), file) || file;
}

function next(invocation: Invocation, shown: string, words: readonly string[]): string {
  const config = [...(invocation.text("config") === undefined ? [] : ["-c", shown]), ...words];
  const rest = config.length === 0 ? "" : ` ${config.join(" ")}`;
  return `Next: pctl plan${rest} · pctl deploy${rest}`;
}
