import { readFileSync } from "node:fs";
import { CtrlPlaneError, isCtrlPlaneError, messageOf } from "@ctrlplane/core/provider";
import type { CtrlPlaneErrorOptions, ErrorCode } from "@ctrlplane/core/provider";

/** `ENOENT` and the like; undefined for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What an error of the system means, by its code: ours, a sentence, and what to do. */
const meanings: Readonly<Record<string, readonly [ErrorCode, string, Partial<CtrlPlaneErrorOptions>]>> = {
  ENOENT: ["NOT_FOUND", "does not exist", {}],
  ENOTDIR: ["INVALID", "is not a folder", {}],
  EACCES: ["FORBIDDEN", "may not be read or written by this user", { hint: "Check its owner and mode." }],
  EPERM: ["FORBIDDEN", "is not this user's to change", { hint: "Check its owner and mode." }],
  EROFS: ["FORBIDDEN", "lies on a read-only file system", { hint: "Choose another folder with the option `dir`." }],
  ENOSPC: [
    "QUOTA",
    "cannot be written: the disk is full",
    { hint: "Free some space, then run the same command again." },
  ],
  EDQUOT: [
    "QUOTA",
    "cannot be written: this user's disk quota is used up",
    { hint: "Free some space, then run the same command again." },
  ],
  EMFILE: [
    "QUOTA",
    "cannot be opened: too many files are open",
    { retryable: true, hint: "Raise the limit with `ulimit -n`." },
  ],
  ENFILE: ["QUOTA", "cannot be opened: too many files are open on this machine", { retryable: true }],
  ELOOP: ["INVALID", "is a loop of links", { hint: "Name the folder itself, or mend the link." }],
  ENAMETOOLONG: ["INVALID", "has too long a name", {}],
  ECONNREFUSED: ["UNAVAILABLE", "does not answer", { retryable: true }],
  ECONNRESET: ["UNAVAILABLE", "broke off", { retryable: true }],
  EPIPE: ["UNAVAILABLE", "broke off", { retryable: true }],
  ABORT_ERR: ["CANCELLED", "was cancelled", {}],
};

/** The one place where errors of the system become ours. `subject` is what the call was about, as the user knows it. */
export function mapError(error: unknown, subject: string): CtrlPlaneError {
  if (isCtrlPlaneError(error)) return error;
  if (error instanceof Error && error.name === "AbortError")
    return new CtrlPlaneError("CANCELLED", `${subject} was cancelled`, { target: subject, cause: error });
  const errno = errnoOf(error);
  const meaning = errno === undefined ? undefined : meanings[errno];
  if (meaning !== undefined) {
    const [code, text, options] = meaning;
    return new CtrlPlaneError(code, `${subject} ${text}`, { ...options, target: subject, cause: error });
  }
  const reason = messageOf(error);
  return new CtrlPlaneError("INTERNAL", `${subject}: ${reason}`, { target: subject, cause: error });
}

/** The promise's value; its error mapped. */
export async function mapped<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw mapError(error, subject);
  }
}

/** The promise's value, or undefined where the file does not exist; every other error is thrown as it is. */
export async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The text of a small file; undefined where there is none. */
export function textIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Throws `CANCELLED` once the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new CtrlPlaneError("CANCELLED", "cancelled", { cause: signal.reason });
}
