import { localMachine } from "@ctrlplane/provider-local";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { confirm } from "../ask.ts";
import { exit } from "../exit-code.ts";
import { openOutput } from "../output/output.ts";
import { count } from "../output/table.ts";
import { listenForInterruption } from "../signals.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  const dir = invocation.text("dir");
  const machine = localMachine({ env: process.env, ...(dir === undefined ? {} : { dir }) });
  const before = await machine.status();
  const running = before.replicas.filter((each) => each.pid !== undefined).length;
  if (before.supervisor === undefined && running === 0) {
    if (output.json) output.document({ dir: before.dir, stopped: 0 });
    else output.lines([`Nothing runs from ${before.dir}.`]);
    return exit.done;
  }
  if (!invocation.flag("yes")) {
    const what = `${count(running, "replica")}, supervisor and gateway of ${before.dir}`;
    if (!output.isTerminal)
      throw new UsageError(
        `pctl local stop would end ${what}, and there is no terminal to ask on`,
        "With --yes it does not ask.",
      );
    if (!(await confirm(`End ${what}?`))) return exit.error;
  }
  const interruption = listenForInterruption(() => undefined, invocation.durationMs("timeout"));
  try {
    await machine.stop(interruption.signal);
  } finally {
    interruption.dispose();
  }
  if (output.json) output.document({ dir: before.dir, stopped: running });
  else
    output.lines([
      running === 0
        ? "Stopped the supervisor; no replica ran."
        : `Stopped ${count(running, "replica")}. The next command that changes something brings them back.`,
    ]);
  return exit.done;
}
