import { CtrlPlaneError } from "../errors/error.ts";

/** What `Ledger` promises to take; for everyone who implements it. */
export const longestRecordName = 200;
export const longestRecordBytes = 256 * 1024;

/** Throws `INVALID` for what is not slash-separated words of `[A-Za-z0-9._-]`, or too long. */
export function checkRecordName(name: string): void {
  const isValid = name.length <= longestRecordName && name.split("/").every(isWord);
  if (!isValid) throw new CtrlPlaneError("INVALID", `not a name for a record: ${JSON.stringify(name.slice(0, 250))}`);
}

/** The beginning of a name: it may end anywhere. */
export function checkRecordPrefix(prefix: string): void {
  const words = prefix.split("/");
  const last = words.pop() ?? "";
  const isValid = words.every(isWord) && /^[A-Za-z0-9._-]*$/.test(last) && prefix.length <= longestRecordName;
  if (!isValid)
    throw new CtrlPlaneError(
      "INVALID",
      `not the beginning of a record's name: ${JSON.stringify(prefix.slice(0, 250))}`,
    );
}

export function checkRecordValue(name: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= longestRecordBytes) return;
  throw new CtrlPlaneError(
    "INVALID",
    `the record ${name} has ${bytes} bytes; at most ${longestRecordBytes} are possible`,
    { target: name },
  );
}

function isWord(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) && text !== "." && text !== "..";
}
