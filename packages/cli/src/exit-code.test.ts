import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError, type CtrlPlaneErrorOptions, type ErrorCode } from "@ctrlplane/core";
import { UsageError } from "./arguments/usage-error.ts";
import { commandExitCodeOf, exitCodeOf } from "./exit-code.ts";

const problem = { severity: "error", code: "x", summary: "x" } as const;

const cases: readonly (readonly [ErrorCode, CtrlPlaneErrorOptions, number])[] = [
  ["INVALID", { diagnostics: [problem] }, 6],
  ["INVALID", {}, 1],
  ["CONFLICT", { target: "lease" }, 5],
  ["CONFLICT", { target: "plan" }, 2],
  ["CONFLICT", {}, 1],
  ["FAILED", { failure: { verdict: "EXITED", reverted: true } }, 3],
  ["FAILED", { failure: { verdict: "EXITED" } }, 1],
  ["UNAVAILABLE", {}, 4],
  ["UNSUPPORTED", {}, 7],
  ["CANCELLED", {}, 130],
  ["TIMEOUT", {}, 1],
  ["NOT_FOUND", {}, 1],
  ["INTERNAL", {}, 1],
];

for (const [code, options, expected] of cases) {
  test(`${code} ${JSON.stringify(options)} ends with ${expected}`, () => {
    assert.equal(exitCodeOf(new CtrlPlaneError(code, "x", options)), expected);
  });
}

test("a wrong command line and a fault of ours end with 1", () => {
  assert.equal(exitCodeOf(new UsageError("x")), 1);
  assert.equal(exitCodeOf(new TypeError("x")), 1);
});

test("failures of exec and run end with 125 to 127, as Docker's", () => {
  assert.equal(commandExitCodeOf(new CtrlPlaneError("NOT_FOUND", "x")), 125);
  assert.equal(commandExitCodeOf(new UsageError("x")), 125);
  assert.equal(commandExitCodeOf(new CtrlPlaneError("FORBIDDEN", "x")), 126);
  assert.equal(
    commandExitCodeOf(new CtrlPlaneError("FAILED", "x", { failure: { verdict: "COMMAND_NOT_FOUND" } })),
    127,
  );
});
