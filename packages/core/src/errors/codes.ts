/** The closed list of error codes. Code branches on these, never on a message. */
export const errorCodes = [
  "NOT_FOUND",
  "CONFLICT",
  "UNAUTHORIZED",
  "FORBIDDEN",
  "QUOTA",
  "RATE_LIMITED",
  "UNAVAILABLE",
  "TIMEOUT",
  "CANCELLED",
  "UNSUPPORTED",
  "INVALID",
  "FAILED",
  "INTERNAL",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** What was seen of a replica that did not serve. Carried by errors with code `FAILED`. */
export const verdicts = [
  "IMAGE_PULL",
  "CRASH_LOOP",
  "EXITED",
  "OOM",
  "PORT_CLOSED",
  "UNHEALTHY",
  "START_TIMEOUT",
  "UNSCHEDULABLE",
  "PORT_IN_USE",
  "COMMAND_NOT_FOUND",
  "QUOTA",
] as const;
export type Verdict = (typeof verdicts)[number];
