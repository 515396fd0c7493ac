import { createHash } from "node:crypto";
import { CtrlPlaneError } from "../errors/error.ts";
import { label } from "../model/labels.ts";
import { derivedId } from "../model/ids.ts";
import type { ObservedInstance } from "../model/observed.ts";
import type { Stack } from "../model/stack.ts";
import type { StateDocument } from "../state/store.ts";

/**
 * Which stack of this name is meant: the state file's word, else the ledgers', else the labels'. A new stack gets one that
 * follows from where it was declared, so that a plan made twice before the first deploy is the same plan.
 */
export function resolveLineage(of: {
  readonly stack: Stack;
  readonly host: string;
  readonly document: StateDocument | undefined;
  readonly ledgers: readonly (string | undefined)[];
  readonly observed: readonly ObservedInstance[];
}): string {
  const { stack, document } = of;
  const recorded = new Set(of.ledgers.filter((each) => each !== undefined));
  if (recorded.size > 1) {
    throw new CtrlPlaneError("CONFLICT", `the platforms of ${stack.name} hold two different stacks of this name`, {
      target: stack.name,
      hint: "Give this stack another name, or the provider of one of them another platform.",
    });
  }
  const [ledger] = recorded;
  const own = document?.lineage === "" ? undefined : document?.lineage;
  if (own !== undefined && ledger !== undefined && own !== ledger) {
    throw new CtrlPlaneError(
      "CONFLICT",
      `the state file of ${stack.name} belongs to another stack of this name (${own}, there ${ledger})`,
      {
        target: stack.name,
        hint: `Move pctl.${stack.name}.json away and run pctl state rebuild, or give this stack another name.`,
      },
    );
  }
  return own ?? ledger ?? labelled(of.observed) ?? firstLineage(stack, of.host);
}

function labelled(observed: readonly ObservedInstance[]): string | undefined {
  const found = new Set(
    observed.map((each) => each.labels[label.lineage]).filter((each) => each !== undefined && each !== ""),
  );
  return found.size === 1 ? [...found][0] : undefined;
}

function firstLineage(stack: Stack, host: string): string {
  return derivedId(
    "lin",
    createHash("sha256")
      .update(JSON.stringify([stack.name, stack.folder, host]))
      .digest(),
  );
}
