import { CtrlPlaneError, isCtrlPlaneError, type FailureDetail } from "../errors/error.ts";
import type { ErrorCode } from "../errors/codes.ts";
import type { Release } from "../model/release.ts";
import { messageOf } from "../errors/message-of.ts";

/**
 * With these the platform did not judge the release: the same step may work later, and the way back would not work now. Of the others
 * `FAILED`, `QUOTA`, `INVALID`, `NOT_FOUND`, `FORBIDDEN`, `UNSUPPORTED` and `CONFLICT` (a port or name that is taken) are what the platform says
 * of this release; `INTERNAL` is a fault of the provider, after which the old release is the safe one.
 */
const undecided: readonly ErrorCode[] = ["CANCELLED", "RATE_LIMITED", "TIMEOUT", "UNAUTHORIZED", "UNAVAILABLE"];

/** Whoever holds the lease now decides. A `CONFLICT` about anything else is the platform's word on the release. */
export function isLostLease(error: unknown): boolean {
  return isCtrlPlaneError(error) && error.code === "CONFLICT" && error.target === "lease";
}

/** Why the release failed; undefined where it did not, and only the rollout was interrupted. */
export function failureOf(error: unknown): FailureDetail | undefined {
  if (!isCtrlPlaneError(error)) return { code: "INTERNAL", reason: messageOf(error) };
  if (error.failure !== undefined) return error.failure;
  if (isLostLease(error)) return undefined;
  if (error.retryable || undecided.includes(error.code)) return undefined;
  return error.code === "QUOTA" ? { verdict: "QUOTA" } : { code: error.code, reason: error.message };
}

/**
 * What a rollout throws when its release failed: `FAILED` with the verdict, or without one an error of the failure's code. `cause` is the
 * failure as it came, absent where only its record is left.
 */
export function failedRelease(
  release: Release,
  failure: FailureDetail,
  reverted: boolean,
  cause?: unknown,
): CtrlPlaneError {
  const known = isCtrlPlaneError(cause) ? cause : undefined;
  const { verdict, code = "FAILED", reason } = failure;
  const recorded = reason ?? `release ${release.number} failed: ${verdict ?? code}`;
  const message = cause instanceof Error ? cause.message : recorded;
  return new CtrlPlaneError(verdict === undefined ? code : "FAILED", message, {
    target: known?.target ?? release.instance.name,
    hint: known?.hint ?? `pctl logs ${release.instance.service} --change ${release.change} shows what it printed`,
    failure: { ...failure, reverted },
    ...(known?.provider === undefined ? {} : { provider: known.provider }),
    ...(cause === undefined ? {} : { cause }),
  });
}
