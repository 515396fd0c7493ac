import { CtrlPlaneError } from "../errors/error.ts";
import type { ErrorCode } from "../errors/codes.ts";
import { messageOf } from "../errors/message-of.ts";

/** The system's code of a failed call, e.g. `ENOENT`; undefined where it is no such error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const known: Readonly<Record<string, { code: ErrorCode; problem: string; hint: string }>> = {
  EACCES: {
    code: "FORBIDDEN",
    problem: "permission denied",
    hint: "Give this user access to it, or run as its owner.",
  },
  EPERM: { code: "FORBIDDEN", problem: "not permitted", hint: "Give this user access to it, or run as its owner." },
  EROFS: { code: "FORBIDDEN", problem: "the file system is read-only", hint: "Use a folder that can be written to." },
  ENOSPC: { code: "QUOTA", problem: "the disk is full", hint: "Free some space, then run the command again." },
  EDQUOT: { code: "QUOTA", problem: "the disk quota is used up", hint: "Free some space, then run the command again." },
  EFBIG: { code: "QUOTA", problem: "the file may not get that large", hint: "Raise the limit (`ulimit -f`)." },
  EMFILE: { code: "QUOTA", problem: "too many open files", hint: "Raise the limit (`ulimit -n`)." },
  ENOTDIR: { code: "INVALID", problem: "a part of the path is a file", hint: "Move that file away." },
  EISDIR: { code: "INVALID", problem: "it is a folder", hint: "Move that folder away." },
  ELOOP: { code: "INVALID", problem: "its links form a loop", hint: "Remove the link." },
  ENAMETOOLONG: { code: "INVALID", problem: "the name is too long", hint: "Choose a shorter name." },
};

/** `cannot write the state file /srv/pctl.shop.json: the disk is full`. `doing` is e.g. `write the state file`. */
export function fileError(error: unknown, doing: string, path: string): CtrlPlaneError {
  const code = systemCode(error);
  const found = code === undefined ? undefined : known[code];
  const problem = found?.problem ?? messageOf(error);
  return new CtrlPlaneError(found?.code ?? "INTERNAL", `cannot ${doing} ${path}: ${problem}`, {
    target: path,
    cause: error,
    ...(found === undefined ? {} : { hint: found.hint }),
  });
}
