import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { EngineError, mapEngineError } from "../engine/errors.ts";
import type { BuildFailure } from "./progress.ts";

/** An image that the Dockerfile names cannot be had. */
const missingImage =
  /pull access denied|manifest unknown|not found: manifest|failed to resolve|failed to do request|insufficient_scope|unauthorized|no such host|Head "https?:|Get "https?:/i;

/** The error of a build: the step, why, and the last lines (≤ 20) that it wrote. */
export function buildError(failure: BuildFailure, declared: string, logTail: readonly string[]): CtrlPlaneError {
  const { step, reason } = failure;
  if (/no space left on device|disk quota exceeded/i.test(reason))
    return mapEngineError(new EngineError(500, reason), `building ${declared}`);
  const exitCode = /(?:exit code: |returned a non-zero code: )(\d+)/.exec(reason)?.[1];
  const why = exitCode === undefined ? reason : `exit code ${exitCode}`;
  const isMissing = exitCode === undefined && missingImage.test(reason);
  const hint = isMissing
    ? "Is the name right, and may this engine reach its registry? `docker login` gives it credentials."
    : "Fix the step and deploy again; what serves now was not touched.";
  return new CtrlPlaneError(
    "FAILED",
    `${declared} could not be built: ${step === undefined ? "" : `${step}: `}${why}`,
    {
      target: declared,
      hint,
      failure: {
        ...(isMissing ? { verdict: "IMAGE_PULL" } : { code: "FAILED" }),
        reason,
        ...(exitCode === undefined ? {} : { exitCode: Number(exitCode) }),
        logTail: logTail.slice(-20),
      },
    },
  );
}
