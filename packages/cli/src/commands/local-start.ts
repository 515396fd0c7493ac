import { localMachine } from "@ctrlplane/provider-local";
import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { openOutput } from "../output/output.ts";
import { count } from "../output/table.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  const dir = invocation.text("dir");
  const machine = localMachine({ env: process.env, ...(dir === undefined ? {} : { dir }) });
  await machine.start();
  const { dir: folder, replicas, schedules } = await machine.status();
  const kept = [
    ...(replicas.length === 0 ? [] : [count(replicas.length, "replica")]),
    ...(schedules.length === 0 ? [] : [count(schedules.length, "schedule")]),
  ];
  if (output.json) output.document({ dir: folder, replicas: replicas.length, schedules: schedules.length });
  else if (kept.length === 0) output.lines([`Nothing was deployed from ${folder}.`]);
  else output.lines([`The supervisor of ${folder} looks after ${kept.join(" and ")}.`, "Next: pctl local status"]);
  return exit.done;
}
