import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobRun, ServiceStatus } from "@ctrlplane/core";
import { runState, whyFailed } from "./job.ts";
import { nextStep } from "./next-step.ts";
import { plain } from "./paint.ts";
import { renderStatus } from "./status.ts";

const now = Date.parse("2026-11-22T03:00:00Z");
const before = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
const next = nextStep([]);
const base = { release: 2, deployment: "dep_1", change: 7, startedAt: before(62.1) } as const;

const failed: JobRun = { ...base, outcome: "failed", exitCode: 3, verdict: "EXITED", endedAt: before(60) };

function statusOf(run: JobRun, more: Partial<ServiceStatus> = {}): string[] {
  const service = { service: "migrate", instance: "inst_1", provider: "local", orphaned: false, run, ...more };
  const view = { paint: plain, next, nowMs: now, replicas: false, unwatched: new Set<string>() };
  return renderStatus({ stack: "shop", services: [service] }, view).slice(3);
}

test("a job that failed: code, when, how long, and where its output is", () => {
  assert.deepEqual(statusOf(failed), [
    "migrate  local     failed, exit 3  2        -      60 s",
    "",
    "failed: migrate release 2 failed (exit 3) after 2.1 s, change #7; pctl logs migrate --change 7",
  ]);
});

test("a job that runs, with somebody who waits for it, and without", () => {
  const running: JobRun = { ...base, outcome: "running" };
  assert.match(statusOf(running)[0] ?? "", /^migrate +local +running +2 +- +62 s$/);
  const unfinished = { deployment: "dep_1", change: 7, to: 2 };
  assert.match(
    statusOf(running, { unfinished }).join("\n"),
    /unfinished: change #7 of migrate; pctl deploy waits for it/,
  );
});

test("every end has its words", () => {
  const ends: [Partial<JobRun>, string][] = [
    [{}, "failed, exit 3"],
    [{ outcome: "completed", exitCode: 0 }, "completed, exit 0"],
    [{ exitCode: null, signal: "SIGKILL" }, "failed, SIGKILL"],
    [{ exitCode: null, signal: "SIGKILL", verdict: "OOM" }, "failed, out of memory"],
    [{ exitCode: 143, verdict: "START_TIMEOUT" }, "failed, timeout"],
    [{ outcome: "unknown" }, "failed, end not seen"],
    [{ outcome: "running" }, "running"],
  ];
  for (const [end, words] of ends) assert.equal(runState({ ...failed, ...end }), words);
  const { exitCode: _, ...unstarted } = failed;
  assert.equal(runState({ ...unstarted, verdict: "COMMAND_NOT_FOUND" }), "failed, COMMAND_NOT_FOUND");
  assert.equal(runState({ ...base, outcome: "failed", code: "FORBIDDEN" }), "failed, FORBIDDEN");
});

test("what completed before is said to stay so", () => {
  const settled = { number: 1, completedAt: before(900) } as NonNullable<ServiceStatus["status"]>["settled"]; // only its number is read
  const status = { settled } as NonNullable<ServiceStatus["status"]>; // only that is read
  const seen = { service: "migrate", instance: "i", provider: "local", orphaned: false, status };
  assert.match(whyFailed(seen, failed, next), /; release 1 stays completed; /);
});
