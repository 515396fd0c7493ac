import { CtrlPlaneError } from "../errors/error.ts";
import { canonicalJson, sha256 } from "../model/hash.ts";
import type { StateDocument, StateEntry } from "./store.ts";

const version = 1;
const ownKey = "$state";

/** A state file, parsed: the document, and what else stands in it, which every write keeps. */
export interface StateText {
  readonly document: StateDocument;
  /** Keys that are no entries. */
  readonly others: Readonly<Record<string, unknown>>;
  /** Fields of `$state` that this version does not know. */
  readonly ownOthers: Readonly<Record<string, unknown>>;
}

/** The seed's format: entries at the top, and `$state` with version, serial, lineage and checksum. */
export function writeStateText({ document, others, ownOthers }: StateText): string {
  const content = { ...others, ...document.entries };
  const change = document.lastChange === undefined ? {} : { last_change: document.lastChange };
  const pending = document.pending === undefined ? {} : { pending: document.pending };
  const own = { ...ownOthers, version, serial: document.serial, lineage: document.lineage, ...change, ...pending };
  return `${JSON.stringify({ ...content, [ownKey]: { ...own, checksum: checksumOf(content, own) } }, undefined, 2)}\n`;
}

/**
 * Takes a file of pctl 1.1, which has no `$state`, as it is: serial 0 and no lineage. Throws `INVALID` for what is damaged or was
 * edited (order and white space do not count), `UNSUPPORTED` for what a later version wrote. `name` and `hint` are for the error.
 */
export function readStateText(text: string, name: string, hint: string): StateText {
  const content = parse(text, name, hint);
  const { [ownKey]: own, ...rest } = content;
  const entries = Object.entries(rest).filter((pair): pair is [string, StateEntry] => isEntry(pair[1]));
  const others = Object.fromEntries(Object.entries(rest).filter(([, value]) => !isEntry(value)));
  const document = { entries: Object.fromEntries(entries), serial: 0, lineage: "" };
  if (own === undefined) return { document, others, ownOthers: {} };
  return { ...readOwn(own, rest, document, name, hint), others };
}

function readOwn(
  own: unknown,
  rest: object,
  document: StateDocument,
  name: string,
  hint: string,
): Omit<StateText, "others"> {
  if (!isObject(own)) throw unreadable(name, `its key ${ownKey} is no object`, hint);
  if (typeof own["version"] === "number" && own["version"] > version) {
    throw new CtrlPlaneError("UNSUPPORTED", `the state file ${name} was written by a later version of pctl`, {
      target: name,
      hint: "Use the version of pctl that the others use who change this stack.",
    });
  }
  const { checksum, ...checked } = own;
  const { version: _version, serial, lineage, last_change: lastChange, pending, ...ownOthers } = checked;
  if (typeof serial !== "number" || typeof lineage !== "string")
    throw unreadable(name, `${ownKey} lacks serial or lineage`, hint);
  if (checksum !== checksumOf(rest, checked)) {
    throw new CtrlPlaneError(
      "INVALID",
      `the state file ${name} was edited by hand, by pctl 1.1, or is damaged: its checksum does not fit`,
      {
        target: name,
        hint,
      },
    );
  }
  const change = typeof lastChange === "number" ? { lastChange } : {};
  const began = isNames(pending) ? { pending } : {};
  return { document: { ...document, serial, lineage, ...change, ...began }, ownOthers };
}

function parse(text: string, name: string, hint: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw unreadable(name, text.trim() === "" ? "it is empty" : "it is not JSON", hint, cause);
  }
  if (!isObject(content)) throw unreadable(name, "it holds no object", hint);
  return content;
}

function checksumOf(content: object, own: object): string {
  return sha256(canonicalJson([content, own]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isEntry(value: unknown): boolean {
  return isObject(value) && typeof value["provider"] === "string";
}

function unreadable(name: string, why: string, hint: string, cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the state file ${name} is damaged: ${why}`, {
    target: name,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
