import type { Diagnostic } from "../errors/diagnostic.ts";
import type { Remains } from "../model/observed.ts";
import type { KnownInstance, PlanInput } from "./input.ts";
import { judgeOwnership } from "./ownership.ts";

/** What a removed instance left, where its data is asked for as well: that is removed like the instance itself. */
export function remainsToRemove(known: KnownInstance, input: PlanInput): Remains | undefined {
  return input.goal === "nothing" && input.withVolumes ? ownRemains(known, input) : undefined;
}

/** Nothing of the stack is to be left, and this stays: somebody who looks for it should know how it goes. */
export function tellRemains(input: PlanInput): Diagnostic[] {
  if (input.goal !== "nothing" || input.withVolumes) return [];
  const left = [...input.known.values()].filter(
    (known) =>
      (input.selection?.has(known.instance.service) ?? true) &&
      known.unfinished === undefined &&
      ownRemains(known, input) !== undefined,
  );
  if (left.length === 0) return [];
  const volumes = left.flatMap((each) => each.remains?.volumes ?? []);
  const names = [...new Set(left.map((each) => each.instance.service))];
  return [
    {
      severity: "info",
      code: "volumes-left",
      summary: `volumes that removed services left are still there: ${volumes.join(", ")}`,
      hint: `pctl destroy ${names.join(" ")} --volumes removes them, with their data.`,
    },
  ];
}

/** What it left, where that is of this lineage. */
export function ownRemains(
  { instance, remains }: KnownInstance,
  { lineage }: Pick<PlanInput, "lineage">,
): Remains | undefined {
  if (remains === undefined) return undefined;
  const { stack, name } = instance;
  return judgeOwnership(remains.labels, { stack, name, lineage }) === "ours" ? remains : undefined;
}
