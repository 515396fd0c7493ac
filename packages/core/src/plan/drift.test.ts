import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanInput } from "./input.ts";
import { makePlan } from "./make-plan.ts";
import { desiredOf, inputOf, knownOf, observedOf, textOf } from "./plan-fixture.ts";

const web = desiredOf("web");
const ranged = desiredOf("web", { spec: { scale: { replicas: { min: 1, max: 3 } } } });

const cases: readonly [name: string, input: PlanInput, expected: readonly string[]][] = [
  [
    "a replica that was altered by hand",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, {
          observed: observedOf(web, {
            altered: [{ path: "image", before: "other on shop-web", after: "web:1", cause: "drift" }],
          }),
        }),
      ],
    }),
    ["configure web@here (drift) at 3"],
  ],
  [
    "one lost of a range that is held at its maximum",
    inputOf({
      desired: [ranged],
      known: [knownOf(ranged, { observed: observedOf(ranged, { wanted: 3 }) })],
    }),
    ["configure web@here (missing) at 3"],
  ],
  [
    "all of a range that is held at its maximum",
    inputOf({
      desired: [ranged],
      known: [
        knownOf(ranged, {
          observed: observedOf(ranged, {
            wanted: 3,
            revisions: [{ replicaHash: ranged.revision.replicaHash, generation: 0, desired: 3, ready: 3, weight: 100 }],
          }),
        }),
      ],
    }),
    ["keep web@here at 3"],
  ],
  [
    "it serves, and the ledger beside it has lost its record",
    inputOf({ desired: [web], known: [knownOf(web, { releases: [], isUnrecorded: true })] }),
    ["configure web@here (recovery) 3→4"],
  ],
];

for (const [name, input, expected] of cases) {
  test(`plan: ${name}`, () => assert.deepEqual(textOf(makePlan(input)), expected));
}

test("what was altered is told as it was seen", () => {
  const altered = [{ path: "image", before: "other on shop-web", after: "web:1", cause: "drift" }] as const;
  const known = [knownOf(web, { observed: observedOf(web, { altered }) })];
  const [action] = makePlan(inputOf({ desired: [web], known })).actions;
  assert.deepEqual(action?.changes, altered);
});

test("a record that is gone is told, also where a release is to come", () => {
  const next = desiredOf("web", { spec: { env: { A: "1" } } });
  const [action] = makePlan(
    inputOf({ desired: [next], known: [knownOf(web, { releases: [], isUnrecorded: true })] }),
  ).actions;
  assert.deepEqual([action?.kind, action?.release], ["update", 4]);
  assert.match(action?.notes.join("\n") ?? "", /the record of release 3 was removed from the platform/);
});
