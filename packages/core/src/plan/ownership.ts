import { label, managedBy, type Labels } from "../model/labels.ts";

/**
 * Whose a thing on a platform is.
 * - `ours`: the seed's three labels and an equal lineage.
 * - `adoptable`: the three labels and no lineage: pctl 1.1's, if a state file names it, or the user says so.
 * - `foreign`: anything else.
 */
export type Ownership = "ours" | "adoptable" | "foreign";

export function judgeOwnership(labels: Labels, of: { stack: string; name: string; lineage: string }): Ownership {
  const isPctl =
    labels[label.managedBy] === managedBy && labels[label.stack] === of.stack && labels[label.service] === of.name;
  if (!isPctl) return "foreign";
  const lineage = labels[label.lineage];
  if (lineage === undefined || lineage === "") return "adoptable";
  return lineage === of.lineage ? "ours" : "foreign";
}
