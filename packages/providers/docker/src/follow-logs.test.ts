import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogLine } from "@ctrlplane/core/provider";
import { followLogs } from "./follow-logs.ts";
import { LogPosition } from "./follow-source.ts";
import type { LogSource } from "./log-lines.ts";

const source = (id: string, startedAt = "1"): LogSource => ({ id, name: id, isTerminal: false, startedAt });

test("a replica that comes later and one that starts again are followed; nothing is told twice", async () => {
  const looks = [[source("a")], [source("a"), source("b")], [source("a", "2"), source("b")]];
  const logs: Record<string, readonly string[]> = { a: ["1", "2", "3"], b: ["4"] };
  const over = new AbortController();
  let wake: (() => void) | undefined;
  const clock = {
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        // What waits for lines of others waits for no look.
        if (ms < 1000) return void setImmediate(resolve);
        wake = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  };
  const asked: string[] = [];
  const parts = {
    sources: () => Promise.resolve(looks.shift() ?? []),
    async *read({ id }: LogSource, since: string): AsyncGenerator<readonly LogLine[]> {
      asked.push(`${id} from ${since}`);
      for (const at of logs[id] ?? []) if (at >= since) yield [{ at, replica: id, stream: "stdout", text: at }];
    },
  };
  const seen = new Map([["a", new LogPosition("1")]]);
  seen.get("a")?.tell({ at: "1", stream: "stdout" });
  const told: string[] = [];
  const context = { signal: over.signal, clock: { ...clock, now: () => 0, monotonic: () => 0 } };
  const reading = (async () => {
    for await (const line of followLogs(parts, seen, context)) told.push(`${line.replica} ${line.text}`);
  })();
  await settled(() => told.length === 2);
  wake?.();
  await settled(() => told.length === 3);
  logs["a"] = ["1", "2", "3", "5"];
  wake?.();
  await settled(() => told.length === 4);
  over.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  assert.deepEqual(told, ["a 2", "a 3", "b 4", "a 5"]);
  assert.deepEqual(asked, ["a from 1", "b from ", "a from 3"]);
});

async function settled(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isDone(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(isDone());
}
