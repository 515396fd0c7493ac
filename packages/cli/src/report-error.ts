import type { CtrlPlaneError } from "@ctrlplane/core";
import type { Invocation } from "./arguments/invocation.ts";
import { UsageError } from "./arguments/usage-error.ts";
import { commandExitCodeOf, exitCodeOf, isOurs } from "./exit-code.ts";
import type { Output } from "./output/output.ts";
import { openOutput } from "./output/output.ts";
import type { Paint } from "./output/paint.ts";

/** Says what went wrong, on stderr and with `--json` on stdout too; returns the exit code. */
export async function reportError(
  error: unknown,
  understood: Invocation | undefined,
  words: readonly string[],
): Promise<number> {
  const invocation = understood ?? (error instanceof UsageError ? error.invocation : undefined);
  const output = openOutput(invocation ?? { flag: (long) => words.includes(`--${long}`) });
  const runsForeignCommand = invocation?.command.rest !== undefined;
  const code = runsForeignCommand ? commandExitCodeOf(error) : exitCodeOf(error);
  const lines = await describeError(error, output.errorPaint, invocation?.command.json === "events");
  if (output.debug && error instanceof Error) lines.push(...stackLines(error));
  output.errors(lines);
  if (output.json && !runsForeignCommand) reportAsJson(error, code, invocation, output);
  return code;
}

async function describeError(error: unknown, paint: Paint, isChange: boolean): Promise<string[]> {
  if (error instanceof UsageError) {
    return [`pctl: ${error.message}`, ...(error.hint === undefined ? [] : [`  ${error.hint}`])];
  }
  if (isOurs(error) && error.code === "CANCELLED") return describeInterruption(error, isChange);
  if (!isOurs(error)) {
    const text = error instanceof Error ? error.message : String(error);
    return [
      `${paint("bad", "error")}: ${text}`,
      "  This is a fault of pctl. Run it again with --debug and report what it prints.",
    ];
  }
  if (error.diagnostics.length > 0) {
    const [{ countDiagnostics, renderDiagnostics }, { sourceReader }] = await Promise.all([
      import("./output/diagnostics.ts"),
      import("./output/source.ts"),
    ]);
    const summary = `${countDiagnostics(error.diagnostics)}.${isChange ? " Nothing was changed." : ""}`;
    return [...renderDiagnostics(error.diagnostics, paint, sourceReader()), "", summary];
  }
  const where = [error.provider, error.target].filter((each) => each !== undefined && !error.message.includes(each));
  const lines = [`${paint("bad", "error")}: ${error.message}${where.length === 0 ? "" : ` (${where.join(", ")})`}`];
  lines.push(...(error.failure?.logTail ?? []).map((line) => `  | ${line}`));
  if (error.hint !== undefined) lines.push(`  ${paint("change", "help")}: ${error.hint}`);
  return lines;
}

/** Ctrl-C at a query needs no words. */
function describeInterruption({ message, target }: CtrlPlaneError, isChange: boolean): string[] {
  if (target === "--timeout") return [`pctl ${message}.${isChange ? " Nothing was changed." : ""}`];
  return isChange ? ["Interrupted before anything was changed."] : [];
}

function stackLines(error: Error): string[] {
  const lines = (error.stack ?? "").split("\n").slice(1);
  const cause = error.cause instanceof Error ? [`  caused by: ${error.cause.message}`, ...stackLines(error.cause)] : [];
  return [...lines, ...cause];
}

/** A reader of events gets `result` as the last line also where nothing could begin; a reader of a document gets one. */
function reportAsJson(error: unknown, exitCode: number, invocation: Invocation | undefined, output: Output): void {
  const message = error instanceof Error ? error.message : String(error);
  const diagnostics = isOurs(error) ? error.diagnostics : [];
  const hint = isOurs(error) || error instanceof UsageError ? error.hint : undefined;
  const ours = { ...(isOurs(error) ? { code: error.code } : {}), ...(hint === undefined ? {} : { hint }) };
  if (invocation?.command.json !== "events") {
    output.document({ error: { ...ours, message, exitCode, diagnostics } });
    return;
  }
  const data = { outcome: "failed", exitCode, elapsedMs: 0, services: [], diagnostics, addresses: [], ...ours };
  const stack = invocation.text("name") ?? "";
  output.jsonLine({ v: 1, seq: 1, at: new Date().toISOString(), type: "result", level: "error", stack, message, data });
}
