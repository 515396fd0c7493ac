import { CtrlPlaneError, isCtrlPlaneError, type ErrorCode } from "@ctrlplane/core/provider";

/** What the engine refused: its HTTP status and its own words. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function isEngineError(error: unknown, ...statuses: readonly number[]): error is EngineError {
  return error instanceof EngineError && (statuses.length === 0 || statuses.includes(error.status));
}

/** The promise's value; undefined where the engine does not know what it was asked about. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isEngineError(error, 404)) return undefined;
    throw error;
  }
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: "INVALID",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
};

/** The one place where errors of an engine become ours. `subject` is what the call was about, as the user knows it. */
export function mapEngineError(error: unknown, subject: string): CtrlPlaneError {
  if (isCtrlPlaneError(error)) return error;
  if (error instanceof Error && error.name === "AbortError")
    return new CtrlPlaneError("CANCELLED", `${subject} was cancelled`, { target: subject, cause: error });
  const options = { target: subject, cause: error };
  if (!(error instanceof EngineError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new CtrlPlaneError("INTERNAL", `${subject}: ${reason}`, options);
  }
  if (/no space left on device|disk quota exceeded/i.test(error.message)) {
    const hint = "Free some space on the host: `docker system df` shows what takes it.";
    return new CtrlPlaneError("QUOTA", `${subject}: the host's disk is full`, { ...options, hint });
  }
  const code = codeOfStatus[error.status] ?? (error.status === 503 ? "UNAVAILABLE" : "INTERNAL");
  return new CtrlPlaneError(code, `${subject}: ${error.message}`, { ...options, retryable: code === "UNAVAILABLE" });
}

/** The promise's value; its error mapped. */
export async function mappedEngine<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw mapEngineError(error, subject);
  }
}

/** An error of the connection. What was aborted is passed on. */
export function unreachable(error: unknown, description: string): Error {
  if (isCtrlPlaneError(error)) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.name === "AbortError") return error;
  const errno = "code" in error ? error.code : undefined;
  const options = { target: description, cause: error };
  if (errno === "EACCES" || errno === "EPERM") {
    return new CtrlPlaneError("FORBIDDEN", `this user may not use the engine at ${description}`, {
      ...options,
      hint: "Add the user to the group that owns the socket (`docker`), or use a rootless engine.",
    });
  }
  if (errno === "ENOENT" || errno === "ECONNREFUSED") {
    return new CtrlPlaneError("UNAVAILABLE", `no Docker Engine answers at ${description}`, {
      ...options,
      retryable: true,
      hint: "Is it running? `docker info` asks the same one.",
    });
  }
  return new CtrlPlaneError("UNAVAILABLE", `the connection to ${description} broke: ${error.message}`, {
    ...options,
    retryable: true,
  });
}
