import type { Invocation } from "../arguments/invocation.ts";
import { checkConfiguration } from "../doctor/configuration.ts";
import { renderFindings, type Finding } from "../doctor/finding.ts";
import { checkDisk, checkKey, checkNode, checkSynchronized } from "../doctor/machine.ts";
import { exit } from "../exit-code.ts";
import { openOutput, surviveClosedPipe } from "../output/output.ts";
import { count } from "../output/table.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  surviveClosedPipe(true);
  const machine: Finding[] = [checkNode(), await checkSynchronized(), ...(await checkDisk()), await checkKey()];
  const findings = [...machine, ...(await checkConfiguration(invocation))];
  const bad = findings.filter((each) => each.state === "bad").length;
  if (output.json) output.document({ ok: bad === 0, findings });
  else {
    output.lines(output.quiet ? [] : renderFindings(findings, output.paint));
    output.lines([bad === 0 ? "All is well." : `${count(bad, "problem")} to solve.`]);
  }
  return bad === 0 ? exit.done : exit.error;
}
