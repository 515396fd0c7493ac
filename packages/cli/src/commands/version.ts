import type { Invocation } from "../arguments/invocation.ts";
import { openOutput } from "../output/output.ts";
import { pctlVersion } from "../version.ts";

export async function run(invocation: Invocation): Promise<number> {
  const output = openOutput(invocation);
  const versions = {
    pctl: pctlVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
  };
  if (output.json) output.document(versions);
  else output.lines([`pctl ${versions.pctl}, Node ${versions.node}, ${versions.platform}`]);
  return 0;
}
