import { isAbsolute, join } from "node:path";
import { CtrlPlaneError, type Diagnostic } from "@ctrlplane/core/provider";

/** Options of the provider in `pctl.yaml`. */
export interface ReferenceOptions {
  /** Path of the platform's socket; a relative one is relative to the configuration's folder. */
  readonly socket: string;
}

export function checkOptions(options: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  const unknown = Object.keys(options).filter((key) => key !== "socket");
  const problems = unknown.map((key) =>
    problem("unknown-option", `option ${key} is unknown`, `options.${key}`, "the only option is socket"),
  );
  if (typeof options["socket"] === "string" && options["socket"] !== "") return problems;
  return [
    ...problems,
    problem("missing-option", "option socket is missing", "options.socket", "name the socket of a reference platform"),
  ];
}

export function parseOptions(options: Readonly<Record<string, unknown>>, folder: string): ReferenceOptions {
  const diagnostics = checkOptions(options);
  const { socket } = options;
  if (typeof socket !== "string" || diagnostics.length > 0) {
    throw new CtrlPlaneError("INVALID", "the options of the reference provider are not valid", { diagnostics });
  }
  return { socket: isAbsolute(socket) ? socket : join(folder, socket) };
}

function problem(code: string, summary: string, field: string, hint: string): Diagnostic {
  return { severity: "error", code, summary, field, hint };
}
