import {
  CtrlPlaneError,
  errorCodes,
  isCtrlPlaneError,
  type ErrorCode,
  type FailureDetail,
  messageOf,
} from "@ctrlplane/core/provider";

/** An error as it travels in the body of an answer. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly target?: string;
  readonly hint?: string;
  readonly failure?: FailureDetail;
  readonly retryable?: boolean;
}

/** What another process may know of an error: a `CtrlPlaneError` as it is, anything else as `INTERNAL`. */
export function toWireError(error: unknown): WireError {
  if (!isCtrlPlaneError(error)) return { code: "INTERNAL", message: messageOf(error) };
  return {
    code: error.code,
    message: error.message,
    ...(error.target === undefined ? {} : { target: error.target }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.failure === undefined ? {} : { failure: error.failure }),
    ...(error.retryable ? { retryable: true } : {}),
  };
}

export function fromWireError(wire: unknown): CtrlPlaneError {
  if (!isWireError(wire)) return new CtrlPlaneError("INTERNAL", "an answer that is not one of ours");
  const { code, message, ...options } = wire;
  return new CtrlPlaneError(code, message, options);
}

function isWireError(value: unknown): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  if (!("code" in value) || !("message" in value) || typeof value.message !== "string") return false;
  const code = value.code;
  return errorCodes.some((each) => each === code);
}
