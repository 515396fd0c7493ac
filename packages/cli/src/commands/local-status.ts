import { localMachine } from "@ctrlplane/provider-local";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { renderLocal } from "../output/local.ts";
import { openOutput, surviveClosedPipe } from "../output/output.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  surviveClosedPipe(true);
  const dir = invocation.text("dir");
  const status = await localMachine({ env: process.env, ...(dir === undefined ? {} : { dir }) }).status();
  if (output.json) output.document(status);
  else output.lines(renderLocal(status, output.paint, Date.now()));
  return exit.done;
}
