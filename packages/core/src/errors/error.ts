import type { Diagnostic } from "./diagnostic.ts";
import type { ErrorCode, Verdict } from "./codes.ts";

/** What is known of a release's failure; the part of an error that a user reads first. It has a verdict, or a code. */
export interface FailureDetail {
  /** What was seen of a replica. Absent where none was judged: a call of the platform was refused, or went wrong. */
  readonly verdict?: Verdict;
  /** Instead of a verdict: the code of what was thrown. */
  readonly code?: ErrorCode;
  /** With `code`: what was thrown, in words. */
  readonly reason?: string;
  /** Name of the replica as the platform shows it, e.g. `shop-web-1`. */
  readonly replica?: string;
  /** Exit code of the last run; null when a signal ended it or it still runs. */
  readonly exitCode?: number | null;
  /** Signal that ended the last run, e.g. `SIGKILL`. */
  readonly signal?: string | null;
  /** How many times it was started, the first included. */
  readonly starts?: number;
  /** Last log lines of the failed replica, oldest first, at most 20. */
  readonly logTail?: readonly string[];
  /** True once the release that served before serves again (or, without one, nothing of the failed release is left). */
  readonly reverted?: boolean;
}

export interface CtrlPlaneErrorOptions {
  /** Whether the same call may succeed when it is simply made again. Default false. */
  readonly retryable?: boolean;
  /** The earliest moment for another attempt, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The user's name of the provider. */
  readonly provider?: string;
  /** What the call was about: an instance, a replica, a file. */
  readonly target?: string;
  /** What to do next, one sentence. */
  readonly hint?: string;
  readonly failure?: FailureDetail;
  /** Problems that together are the reason; for `INVALID`. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly cause?: unknown;
}

/**
 * Thrown by everything that does I/O. Problems in what the user declared are `Diagnostic` values instead; where such
 * problems end a call they travel in `diagnostics` of an error with code `INVALID`.
 */
export class CtrlPlaneError extends Error {
  override readonly name = "CtrlPlaneError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly provider?: string;
  readonly target?: string;
  readonly hint?: string;
  readonly failure?: FailureDetail;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: ErrorCode, message: string, options: CtrlPlaneErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.diagnostics = options.diagnostics ?? [];
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
    if (options.provider !== undefined) this.provider = options.provider;
    if (options.target !== undefined) this.target = options.target;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.failure !== undefined) this.failure = options.failure;
  }
}

/** Holds across copies of this package in one process, where `instanceof` does not. */
export function isCtrlPlaneError(error: unknown): error is CtrlPlaneError {
  return error instanceof Error && error.name === "CtrlPlaneError" && "code" in error;
}
