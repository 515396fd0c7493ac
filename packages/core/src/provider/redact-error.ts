import type { Diagnostic } from "../errors/diagnostic.ts";
import { CtrlPlaneError, isCtrlPlaneError, type FailureDetail } from "../errors/error.ts";
import type { Redactor } from "../errors/redaction.ts";

export interface ErrorOrigin {
  /** The user's name of the provider. */
  readonly provider: string;
  readonly redactor: Redactor;
}

/**
 * What leaves a provider: always a `CtrlPlaneError` with the provider's name, its texts free of known secrets, its causes too.
 * An abort becomes `CANCELLED`, a `CANCELLED` that nobody asked for `UNAVAILABLE`, everything that the provider did not map itself `INTERNAL`.
 */
export function toProviderError(error: unknown, origin: ErrorOrigin, signal?: AbortSignal): CtrlPlaneError {
  if (isCtrlPlaneError(error)) return redactKnown(isOwnCancel(error, signal) ? unavailable(error) : error, origin);
  const { provider } = origin;
  const cause = redactCause(error, origin.redactor);
  if (isAbort(error, signal)) return new CtrlPlaneError("CANCELLED", "the call was cancelled", { provider, cause });
  return new CtrlPlaneError("INTERNAL", `provider ${provider} failed unexpectedly: ${cause.message}`, {
    provider,
    hint: "run it again with --debug and report what it prints",
    cause,
  });
}

/** The platform gave up by itself: nobody here wanted it to stop, and the same call may succeed later. */
function isOwnCancel(error: CtrlPlaneError, signal: AbortSignal | undefined): boolean {
  return error.code === "CANCELLED" && signal?.aborted === false;
}

function unavailable(error: CtrlPlaneError): CtrlPlaneError {
  return new CtrlPlaneError("UNAVAILABLE", `the platform cancelled the call: ${error.message}`, {
    retryable: true,
    hint: "the next pctl deploy goes on from here",
    cause: error,
  });
}

function redactKnown(error: CtrlPlaneError, { provider, redactor }: ErrorOrigin): CtrlPlaneError {
  const redacted = new CtrlPlaneError(error.code, redactor.redact(error.message), {
    provider: error.provider ?? provider,
    retryable: error.retryable,
    diagnostics: redactDiagnostics(error.diagnostics, redactor),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.target === undefined ? {} : { target: redactor.redact(error.target) }),
    ...(error.hint === undefined ? {} : { hint: redactor.redact(error.hint) }),
    ...(error.failure === undefined ? {} : { failure: redactFailure(error.failure, redactor) }),
    ...(error.cause === undefined ? {} : { cause: redactCause(error.cause, redactor) }),
  });
  if (error.stack !== undefined) redacted.stack = redactor.redact(error.stack);
  return redacted;
}

export function redactFailure(failure: FailureDetail, redactor: Redactor): FailureDetail {
  const { logTail, reason } = failure;
  return {
    ...failure,
    ...(reason === undefined ? {} : { reason: redactor.redact(reason) }),
    ...(logTail === undefined ? {} : { logTail: logTail.map((line) => redactor.redact(line)) }),
  };
}

export function redactDiagnostics(diagnostics: readonly Diagnostic[], redactor: Redactor): readonly Diagnostic[] {
  return diagnostics.map((each) => ({
    ...each,
    summary: redactor.redact(each.summary),
    ...(each.detail === undefined ? {} : { detail: redactor.redact(each.detail) }),
    ...(each.hint === undefined ? {} : { hint: redactor.redact(each.hint) }),
  }));
}

/** A copy that keeps name, code, stack and further causes, to the depth that anybody reads. */
function redactCause(cause: unknown, redactor: Redactor, depth = 4): Error {
  if (!(cause instanceof Error)) return new Error(redactor.redact(textOf(cause)));
  const inner = cause.cause === undefined || depth === 0 ? undefined : redactCause(cause.cause, redactor, depth - 1);
  const message = redactor.redact(cause.message);
  const options = inner === undefined ? undefined : { cause: inner };
  const copy =
    cause instanceof AggregateError && depth > 0
      ? new AggregateError(
          cause.errors.map((each: unknown) => redactCause(each, redactor, depth - 1)),
          message,
          options,
        )
      : new Error(message, options);
  copy.name = cause.name;
  if (cause.stack !== undefined) copy.stack = redactor.redact(cause.stack);
  if ("code" in cause) Object.assign(copy, { code: cause.code });
  return copy;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}

function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted === true && error === signal.reason) return true;
  return error instanceof Error && error.name === "AbortError";
}

/** Texts anywhere in plain data. */
export function redactData(value: unknown, redactor: Redactor): unknown {
  if (typeof value === "string") return redactor.redact(value);
  if (Array.isArray(value)) return value.map((each) => redactData(each, redactor));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactData(each, redactor)]));
}
