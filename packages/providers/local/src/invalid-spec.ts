import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** `INVALID` for something that only a look at the files shows; it travels as a diagnostic of `field`. */
export function invalidSpec(code: string, summary: string, hint: string, field = "image"): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", summary, {
    hint,
    diagnostics: [{ severity: "error", code, summary, hint, field }],
  });
}
