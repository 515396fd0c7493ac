import type { CtrlPlaneError } from "@ctrlplane/core";

/** architecture.md §8. */
export const exit = {
  done: 0,
  error: 1,
  pending: 2,
  reverted: 3,
  attention: 4,
  leaseHeld: 5,
  invalid: 6,
  unsupported: 7,
  interrupted: 130,
} as const;

/** The one mapping from what was thrown to an exit code. What a change came to stands in its result instead. */
export function exitCodeOf(error: unknown): number {
  if (!isOurs(error)) return exit.error;
  if (error.failure?.reverted === true) return exit.reverted;
  switch (error.code) {
    case "INVALID":
      return error.diagnostics.length > 0 ? exit.invalid : exit.error;
    case "CONFLICT":
      if (error.target === "lease") return exit.leaseHeld;
      return error.target === "plan" ? exit.pending : exit.error;
    case "UNAVAILABLE":
      return exit.attention;
    case "UNSUPPORTED":
      return exit.unsupported;
    case "CANCELLED":
      return exit.interrupted;
    default:
      return exit.error;
  }
}

/** Exit codes of `exec` and `run` where the failure is ours: as Docker's. */
export function commandExitCodeOf(error: unknown): number {
  if (!isOurs(error)) return 125;
  if (error.failure?.verdict === "COMMAND_NOT_FOUND") return 127;
  return error.code === "FORBIDDEN" ? 126 : 125;
}

/** As core's `isCtrlPlaneError`, which would load the core to say that a word is misspelled. */
export function isOurs(error: unknown): error is CtrlPlaneError {
  return error instanceof Error && error.name === "CtrlPlaneError" && "code" in error;
}
