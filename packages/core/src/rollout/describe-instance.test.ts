import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceState, SettledRelease } from "../model/observed.ts";
import { describeInstance, type InstanceBase } from "./describe-instance.ts";
import type { Replica } from "./replica-driver.ts";

const settled: SettledRelease = {
  releaseId: "rel_1",
  number: 1,
  specHash: "v1:x",
  replicaHash: "a",
  generation: 0,
  deployment: "dep_1",
  replicas: 2,
};

const base: InstanceBase = {
  name: "shop-web",
  stack: "shop",
  service: "web",
  labels: {},
  stopped: false,
  addresses: [],
  volumes: [],
  observedFields: [],
  fields: {},
};

/** `a:ready b.1:exited`: hash, generation, state. */
function replicas(text: string): readonly Replica[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.map((word, index) => {
    const [revision = "", state] = word.split(":");
    const [replicaHash = "", generation = "0"] = revision.split(".");
    const name = `r${index + 1}`;
    // The words of this test name states alone.
    const known = { state: state as Replica["state"], replicaHash, generation: Number(generation) };
    return { id: name, name, ordinal: index + 1, routed: false, restarts: index, deployment: "dep_1", ...known };
  });
}

const cases: readonly [text: string, of: Partial<InstanceBase>, state: InstanceState][] = [
  ["a:ready a:ready", { settled }, "serving"],
  ["a:ready a:exited", { settled }, "degraded"],
  ["a:exited a:unhealthy", { settled }, "down"],
  ["b:ready b:ready", { settled }, "degraded"],
  ["a.1:ready a.1:ready", { settled }, "degraded"],
  ["a.1:ready a.1:ready", { settled: { ...settled, generation: 1 } }, "serving"],
  ["", { settled }, "down"],
  ["", { settled: { ...settled, replicas: 0 } }, "stopped"],
  ["a:stopped a:stopped", { settled, stopped: true }, "stopped"],
  ["a:ready", { settled: { ...settled, replicas: { min: 1, max: 4 } } }, "serving"],
  ["a:ready", {}, "degraded"],
  ["a:starting", {}, "down"],
];

for (const [text, of, state] of cases) {
  test(`${text === "" ? "no replica" : text}, ${JSON.stringify({ ...of, settled: of.settled?.replicas })}: ${state}`, () => {
    assert.equal(describeInstance({ ...base, ...of }, replicas(text), {}).state, state);
  });
}

test("replicas make revisions: what was stopped is not meant to run, what ended by itself is", () => {
  const seen = describeInstance({ ...base, settled }, replicas("a:ready a:exited a:stopped b:ready"), {
    r1: 60,
    r4: 40,
  });
  assert.deepEqual(seen.revisions, [
    { replicaHash: "a", generation: 0, desired: 2, ready: 1, weight: 60, restarts: 3 },
    { replicaHash: "b", generation: 0, desired: 1, ready: 1, weight: 40, restarts: 3 },
  ]);
  assert.equal(seen.restarts, 6);
});
