import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Replica } from "./replica-driver.ts";
import { targetsOf, withoutReplicas } from "./traffic.ts";

function replica(id: string, replicaHash: string, state: Replica["state"] = "ready"): Replica {
  return {
    id,
    name: id,
    ordinal: 1,
    replicaHash,
    generation: 0,
    state,
    routed: false,
    restarts: 0,
    deployment: "dep_1",
  };
}

const sum = (shares: Readonly<Record<string, number>>): number =>
  Object.values(shares).reduce((all, each) => all + each, 0);

test("a revision's share is divided evenly over its ready replicas", () => {
  const replicas = [replica("a1", "a"), replica("a2", "a"), replica("a3", "a", "exited"), replica("b1", "b")];
  assert.deepEqual(targetsOf({ a: 50, b: 50 }, replicas), { a1: 25, a2: 25, b1: 50 });
});

test("a revision without a ready replica leaves its share to the others", () => {
  const replicas = [replica("a1", "a", "unhealthy"), replica("b1", "b")];
  assert.deepEqual(targetsOf({ a: 80, b: 20 }, replicas), { b1: 100 });
});

test("where none is ready all that exist are targets, so that whichever recovers serves", () => {
  const replicas = [replica("a1", "a", "exited"), replica("a2", "a", "starting")];
  assert.deepEqual(targetsOf({ a: 100 }, replicas), { a1: 50, a2: 50 });
  assert.deepEqual(targetsOf({ c: 100 }, replicas), {});
  assert.deepEqual(targetsOf({}, replicas), {});
});

test("the share of those that leave falls to their own revision first", () => {
  const replicas = [replica("a1", "a"), replica("a2", "a"), replica("b1", "b"), replica("b2", "b")];
  const routed = { a1: 10, a2: 10, b1: 80 };
  assert.deepEqual(withoutReplicas(routed, replicas, replicas.slice(0, 1)), { a2: 20, b1: 80 });
  assert.deepEqual(withoutReplicas(routed, replicas, replicas.slice(0, 2)), { b1: 100 });
  assert.deepEqual(withoutReplicas(routed, replicas, replicas), {});
});

test("shares add up to 100, whatever the weights", () => {
  const counts = fc.array(
    fc.record({ weight: fc.double({ min: 0.01, max: 100, noNaN: true }), size: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(counts, (revisions) => {
      const replicas = revisions.flatMap(({ size }, key) =>
        Array.from({ length: size }, (_, index) => replica(`${key}-${index}`, String(key))),
      );
      const targets = targetsOf(
        Object.fromEntries(revisions.map(({ weight }, key) => [String(key), weight])),
        replicas,
      );
      assert.ok(Math.abs(sum(targets) - 100) < 1e-9);
      assert.ok(Object.values(targets).every((each) => each > -1e-9));
    }),
  );
});
