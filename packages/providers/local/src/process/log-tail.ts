import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isErrno } from "./json-file.ts";

/** No more than this is read: a line longer than it is cut. */
const tailBytes = 64 * 1024;

/** The last `lines` lines of a file, oldest first; none where there is no file. */
export function logTail(path: string, lines: number): readonly string[] {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
  try {
    const size = fstatSync(file).size;
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString("utf8", 0, read).replace(/\r?\n$/, "");
    return text === "" ? [] : text.split(/\r?\n/).slice(-lines);
  } finally {
    closeSync(file);
  }
}
