import { CtrlPlaneError, isCtrlPlaneError, type ErrorCode, messageOf } from "@ctrlplane/core/provider";

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
    // The connection broke while an answer was read.
    if (
      error instanceof Error &&
      /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/.test(errnoOf(error))
    ) {
      return broken(error, subject);
    }
    const reason = messageOf(error);
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

/** An engine that takes a connection, and says nothing. */
export function silentEngine(subject: string, afterMs: number): CtrlPlaneError {
  return new CtrlPlaneError("UNAVAILABLE", `${subject}: the engine did not answer within ${afterMs / 1000} s`, {
    target: subject,
    retryable: true,
    hint: "Is it frozen, or the host overloaded? `docker version` there should answer at once.",
  });
}

/** An error of the connection to what `describeEndpoint` names so. What was aborted is passed on. */
export function unreachable(error: unknown, description: string): Error {
  if (isCtrlPlaneError(error)) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.name === "AbortError") return error;
  const errno = errnoOf(error);
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
  if (errno === "ENOTFOUND" || errno === "EAI_AGAIN") {
    return new CtrlPlaneError("UNAVAILABLE", `the name service knows no host of ${description}`, {
      ...options,
      retryable: true,
      hint: "Check the spelling of the host, and the network of this machine.",
    });
  }
  return untrusted(error, errno, description) ?? broken(error, description);
}

function broken(error: Error, description: string): CtrlPlaneError {
  // What node says of an answer that ends early would be read as somebody's wish.
  const reason = error.message === "aborted" ? "it was cut" : error.message;
  return new CtrlPlaneError("UNAVAILABLE", `the connection to ${description} broke: ${reason}`, {
    target: description,
    cause: error,
    retryable: true,
    hint: "Run the same command again: it connects anew, and goes on where this one stopped.",
  });
}

/** One side does not accept the other's certificate. */
function untrusted(error: Error, errno: string, description: string): CtrlPlaneError | undefined {
  const options = { target: description, cause: error };
  if (/ALERT_(CERTIFICATE|UNKNOWN_CA|BAD_CERTIFICATE)|ALERT_.*CERTIFICATE/.test(errno)) {
    return new CtrlPlaneError("UNAUTHORIZED", `${description} does not accept our certificate: ${error.message}`, {
      ...options,
      hint: "It asks for a client certificate of its own authority: `cert` and `key`.",
    });
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(errno)) {
    return new CtrlPlaneError("UNAUTHORIZED", `the certificate of ${description} is not accepted: ${error.message}`, {
      ...options,
      hint: "Name the authority that signed it (`ca`), and the host as the certificate does.",
    });
  }
  if (/ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)|EPROTO/.test(errno)) {
    return new CtrlPlaneError("UNAVAILABLE", `${description} does not speak TLS: ${error.message}`, {
      ...options,
      hint: "Is it the engine's TLS port, by custom 2376?",
    });
  }
  return undefined;
}

function errnoOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
