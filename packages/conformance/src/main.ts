import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { writeFile } from "node:fs/promises";
import type { Harness } from "./harness.ts";
import type { Deviations } from "./report.ts";
import { checkDeviations, chooseBehaviours, startRun } from "./run.ts";
import { tableOf } from "./table.ts";

const usage = `usage: ctrlplane-conformance HARNESS [--only GROUP_OR_ID]… [--json FILE]

HARNESS is a module that exports \`harness\`, a function that makes one, and where there are any \`deviations\`.
Prints a line for each behaviour: holds, fails, deviates (as declared), stale (declared, and holds), refused (by the
provider's check), undeclared (a capability that it does not have). \`--json -\` prints the report as JSON instead.

Exit codes: 0 it conforms · 1 it does not · 2 the words or the harness cannot be understood
`;

/** The command `ctrlplane-conformance` with these words; gives its exit code. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        only: { type: "string", multiple: true },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      return 0;
    }
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new Error("name one module with a harness");
    return await check(file, values.only, values.json);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

async function check(file: string, only: readonly string[] | undefined, json: string | undefined): Promise<number> {
  const { harness, deviations } = await load(file);
  // Before a platform is there that would have to be closed again.
  chooseBehaviours(only);
  checkDeviations(deviations ?? {});
  const run = startRun({
    harness: await harness(),
    ...(deviations === undefined ? {} : { deviations }),
    ...(only === undefined ? {} : { only }),
  });
  const report = await run.report;
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (json !== undefined && json !== "-") await writeFile(json, text);
  process.stdout.write(json === "-" ? text : `${tableOf(report)}\n`);
  return report.isConforming ? 0 : 1;
}

interface HarnessModule {
  readonly harness: () => Harness | Promise<Harness>;
  readonly deviations?: Deviations;
}

async function load(file: string): Promise<HarnessModule> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href);
  const isHarness =
    typeof module === "object" && module !== null && "harness" in module && typeof module.harness === "function";
  if (!isHarness) throw new Error(`${file} exports no function \`harness\``);
  // What else it is, the first behaviours tell.
  return module as unknown as HarnessModule;
}
