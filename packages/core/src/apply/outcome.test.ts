import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes } from "../errors/codes.ts";
import { CtrlPlaneError } from "../errors/error.ts";
import { instance } from "../rollout/samples.test.support.ts";
import { failedResult, summarize } from "./outcome.ts";

const of = { deployment: "dep_2", attempted: 2, serving: 1, elapsedMs: 5 };

function exitOf(result: ReturnType<typeof failedResult>): number {
  return summarize({ services: [result], elapsedMs: 5, diagnostics: [], addresses: [], isInterrupted: false }).exitCode;
}

test("what was taken back is exit 3, what was not is exit 1, whatever its code; it is told by its verdict, or by that code", () => {
  for (const code of errorCodes) {
    const reverted = failedResult(instance, new CtrlPlaneError(code, "no", { failure: { code, reverted: true } }), of);
    assert.deepEqual([reverted.outcome, reverted.serving, reverted.code], ["reverted", 1, code]);
    assert.equal(exitOf(reverted), 3);
    const failed = failedResult(instance, new CtrlPlaneError(code, "no"), of);
    assert.deepEqual([failed.outcome, failed.serving, failed.code, failed.reason], ["failed", undefined, code, "no"]);
    assert.equal(exitOf(failed), 1);
  }
  const judged = failedResult(instance, new CtrlPlaneError("FAILED", "no", { failure: { verdict: "OOM" } }), of);
  assert.deepEqual([judged.verdict, judged.code], ["OOM", undefined]);
  assert.equal(failedResult(instance, new Error("odd"), of).code, "INTERNAL");
});

test("what is kept for inspection needs attention, with a verdict or without", () => {
  for (const failure of [{ verdict: "OOM" }, { code: "FORBIDDEN" }] as const) {
    const held = failedResult(instance, new CtrlPlaneError("FAILED", "no", { failure }), { ...of, holds: true });
    assert.deepEqual([held.outcome, exitOf(held)], ["held", 4]);
  }
});
