import type { StateDocument } from "@ctrlplane/core";
import type { Paint } from "./paint.ts";
import { fullColumns, table } from "./table.ts";

/** What is recorded of a stack: one row an entry, those of services that are gone included. */
export function renderState(stack: string, document: StateDocument, paint: Paint): string[] {
  const rows = Object.entries(document.entries).map(([key, entry]) => [
    key,
    entry.provider,
    entry.release === undefined ? "" : String(entry.release),
    entry.image ?? "",
    [
      entry.destroyed === true ? "destroyed" : "",
      entry.protect === true ? "protected" : "",
      entry.hasVolumes === true ? "has volumes" : "",
    ]
      .filter((each) => each !== "")
      .join(", "),
  ]);
  const head = `${paint("strong", stack)}: serial ${document.serial}, lineage ${document.lineage}`;
  if (rows.length === 0) return [head, "  no entries"];
  return [head, "", ...table(...fullColumns(["ENTRY", "PROVIDER", "RELEASE", "IMAGE", ""], rows))];
}
