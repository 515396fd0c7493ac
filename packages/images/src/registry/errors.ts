import { CtrlPlaneError, isCtrlPlaneError, type CtrlPlaneErrorOptions, type ErrorCode } from "@ctrlplane/core/provider";
import { EngineError, mapEngineError } from "../engine/errors.ts";

interface Kind {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly hint: string;
}

const rightName = "Is the name right? A private image needs a login: `registry` in pctl.yaml, or `docker login`.";

/** What registries and the engine say, in the words of several versions; the first that fits decides. */
const kinds: readonly Kind[] = [
  {
    words: /toomanyrequests|too many requests|rate limit/i,
    code: "RATE_LIMITED",
    retryable: true,
    hint: "The registry counts requests without a login; `docker login` lifts the limit.",
  },
  { words: /repository does not exist or may require|pull access denied/i, code: "NOT_FOUND", hint: rightName },
  {
    words: /unauthorized|authentication required|no basic auth|incorrect username|access .*denied|denied:|forbidden/i,
    code: "UNAUTHORIZED",
    hint: "Check `registry` in pctl.yaml, or log in with `docker login`.",
  },
  {
    words: /no matching manifest|does not match the specified platform/i,
    code: "NOT_FOUND",
    hint: "The image exists, but not for the processor of this host.",
  },
  {
    words: /certificate|x509|server gave HTTP response/i,
    code: "UNAVAILABLE",
    hint: "The engine's host must trust the registry's certificate, or name it among its `insecure-registries`.",
  },
  {
    words:
      /dial tcp|no such host|connection (refused|reset)|timeout|timed out|\bEOF$|server misbehaving|status: 5\d\d/i,
    code: "UNAVAILABLE",
    retryable: true,
    hint: "The engine's host reaches the registry, not this machine: look from there.",
  },
  {
    words: /manifest unknown|name unknown|not found|no such image|does not exist/i,
    code: "NOT_FOUND",
    hint: rightName,
  },
];

/** An error of a call in which the engine asked a registry. Carries the verdict `IMAGE_PULL` where an image could not be had. */
export function mapRegistryError(error: unknown, subject: string, verdict?: "IMAGE_PULL"): CtrlPlaneError {
  if (isCtrlPlaneError(error) || !(error instanceof EngineError)) return mapEngineError(error, subject);
  const failure = verdict === undefined ? {} : { failure: { verdict, reason: error.message } };
  const kind = kinds.find((each) => each.words.test(error.message));
  if (kind === undefined || /no space left on device/i.test(error.message)) return mapEngineError(error, subject);
  const options: CtrlPlaneErrorOptions = { target: subject, hint: kind.hint, cause: error, ...failure };
  const retryable = kind.retryable === true;
  return new CtrlPlaneError(kind.code, `${subject}: ${error.message}`, { ...options, retryable });
}
