import { jsonSchema } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { surviveClosedPipe } from "../output/output.ts";

export async function run(_invocation: Invocation): Promise<number> {
  surviveClosedPipe(true);
  process.stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
  return exit.done;
}
