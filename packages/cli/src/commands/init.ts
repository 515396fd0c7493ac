import { writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { surveyFolder } from "../init/survey.ts";
import { writeDeclaration } from "../init/declaration.ts";
import { openOutput } from "../output/output.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  const file = resolve(invocation.text("config") ?? "pctl.yaml");
  const folder = dirname(file);
  const found = await surveyFolder(folder);
  const name = stackName(invocation.text("name") ?? found.name ?? basename(folder));
  const shown = relative(process.cwd(), file) || file;
  try {
    await writeFile(file, writeDeclaration(name, found), { flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new UsageError(`${shown} is there already, and was not touched`, "pctl check says whether it is right.");
    }
    throw error;
  }
  const config = invocation.text("config") === undefined ? "" : ` -c ${shown}`;
  if (output.json)
    output.document({ file: shown, name, seen: found.seen, services: found.services.map((each) => each.name) });
  else {
    const seen = found.seen.length === 0 ? "Nothing that pctl knows is here" : `Saw ${found.seen.join(", ")}`;
    output.lines([`${seen}; wrote ${shown}. Read it: it is short.`, `Next: pctl plan${config} · pctl deploy${config}`]);
  }
  return 0;
}

/** Lower case letters, digits and dashes, as every platform takes them. */
function stackName(wanted: string): string {
  const name = wanted
    .toLowerCase()
    .replace(/^@[^/]*\//, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return /^[a-z]/.test(name) ? name : `app${name === "" ? "" : `-${name}`}`;
}
