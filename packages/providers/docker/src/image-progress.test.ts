import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProviderContext } from "@ctrlplane/core/provider";
import { imageProgress } from "./image-progress.ts";

function recorder() {
  const told: string[] = [];
  let now = 0;
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  const context = { clock, progress: ({ message }: { message: string }) => told.push(message) };
  // What is asked of a context here.
  const tell = imageProgress(context as unknown as ProviderContext);
  return { told, tell, at: (ms: number) => (now = ms) };
}

test("what travels is told once a second, and how it came", () => {
  const { told, tell, at } = recorder();
  for (let ms = 0; ms <= 2000; ms += 10) {
    at(ms);
    tell({ kind: "carry", from: "ssh://vps1", bytes: ms * 1000, totalBytes: 45_000_000 });
  }
  tell({ kind: "carried", from: "ssh://vps1", bytes: 2_000_000, sharedLayers: 3 });
  assert.deepEqual(told, [
    "comes from ssh://vps1: 0.0 of 45.0 MB",
    "comes from ssh://vps1: 1.0 of 45.0 MB",
    "comes from ssh://vps1: 2.0 of 45.0 MB",
    "came from ssh://vps1: 2.0 MB; 3 of its layers were there",
  ]);
});

test("pulls, pushes, steps and what they write", () => {
  const { told, tell } = recorder();
  tell({ kind: "pull", name: "postgres:17", bytes: 12_340_000, totalBytes: 45_000_000, done: 3, layers: 8 });
  tell({ kind: "push", name: "r.example.com/shop:1", bytes: 0, totalBytes: 0, done: 0, layers: 2 });
  tell({ kind: "step", step: "[2/3] RUN npm ci", state: "started" });
  tell({ kind: "output", step: "[2/3] RUN npm ci", text: "added 58 packages" });
  tell({ kind: "step", step: "[2/3] RUN npm ci", state: "done" });
  assert.deepEqual(told, [
    "pulling postgres:17: 12.3 of 45.0 MB, 3 of 8 layers",
    "pushing r.example.com/shop:1: 0 of 2 layers",
    "[2/3] RUN npm ci",
    "added 58 packages",
  ]);
});
