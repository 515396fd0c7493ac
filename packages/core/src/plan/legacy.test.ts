import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObservedInstance } from "../model/observed.ts";
import type { StateEntry } from "../state/store.ts";
import { makePlan } from "./make-plan.ts";
import { desiredOf, inputOf, knownOf, labelsOf, observedOf, textOf } from "./plan-fixture.ts";

const web = { ...desiredOf("web"), fingerprint: "f" };
const entry: StateEntry = { provider: "here", fingerprint: "f", replica: 1, image: "pctl-local:1", pushedByPctl: true };

/** What pctl 1.1 left of `web`: so many containers run. */
function seen(running: number, change: Partial<ObservedInstance> = {}): ObservedInstance {
  const { settled: _, ...observed } = observedOf(web, {
    labels: labelsOf(web.instance, undefined),
    revisions: [{ replicaHash: "old", generation: 0, desired: running, ready: running, weight: 0 }],
    isLegacy: true,
    ...change,
  });
  return observed;
}

const legacy = (running: number, change: Partial<StateEntry> = {}) =>
  knownOf(web, { observed: seen(running), entry: { ...entry, ...change }, releases: [] });

const cases: [string, Partial<Parameters<typeof inputOf>[0]> & { known: ReturnType<typeof knownOf>[] }, string[]][] = [
  ["as it was deployed", { known: [legacy(1)] }, ["keep web@here"]],
  ["a container left from another scale", { known: [legacy(2)] }, ["update web@here (drift) -→1"]],
  ["a container that is gone", { known: [legacy(1, { replica: 2 })] }, ["update web@here (drift) -→1"]],
  ["declared otherwise", { known: [legacy(1, { fingerprint: "g" })] }, ["update web@here (configuration) -→1"]],
  ["unchanged, and taken over by word", { known: [legacy(1)], adopt: true }, ["update web@here (adopted) -→1"]],
  [
    "an entry that was destroyed names nothing",
    { known: [legacy(1, { destroyed: true })] },
    ["hold web@here (foreign)"],
  ],
  ["left the file", { desired: [], known: [legacy(1)] }, ["remove web@here (removed)"]],
];

for (const [name, { desired = [web], ...rest }, expected] of cases) {
  test(`plan, of pctl 1.1: ${name}`, () => {
    assert.deepEqual(textOf(makePlan(inputOf({ desired, ...rest }))), expected);
  });
}

test("plan, of pctl 1.1: what is touched is taken over first, what is kept is not", () => {
  const adopts = (known: ReturnType<typeof knownOf>, desired = [web]) =>
    makePlan(inputOf({ desired, known: [known] })).actions[0]?.adopts;
  assert.equal(adopts(legacy(1)), undefined);
  assert.deepEqual(adopts(legacy(2)), { replicas: 1, builtImage: "pctl-local:1" });
  assert.deepEqual(adopts(legacy(1), []), { replicas: 1, builtImage: "pctl-local:1" });
  assert.equal(adopts(knownOf(web)), undefined);
});

test("plan, of pctl 1.1: what was stopped is taken over, and it is said that it starts again", () => {
  const stopped = { state: "stopped", stopped: true } as const;
  const { fingerprint: _, ...folder } = entry;
  for (const recorded of [entry, folder]) {
    const known = knownOf(web, { observed: seen(0, stopped), entry: recorded, releases: [] });
    const [action] = makePlan(inputOf({ desired: [web], known: [known] })).actions;
    assert.equal(action?.kind, "update");
    assert.ok(action.notes.includes("was stopped by hand, and starts again"));
  }
});

test("plan, of pctl 1.1: none wanted and none there is unchanged", () => {
  const none = { ...desiredOf("web", { spec: { scale: { replicas: 0 } } }), fingerprint: "f" };
  const { observed: _, ...known } = knownOf(none, { entry: { ...entry, replica: 0 }, releases: [] });
  assert.deepEqual(textOf(makePlan(inputOf({ desired: [none], known: [known] }))), ["keep web@here"]);
});

test("plan, of pctl 1.1: --atomic cannot take it back, and says so", () => {
  const plan = makePlan(inputOf({ desired: [web], known: [legacy(2)], atomic: true }));
  assert.deepEqual(
    plan.diagnostics.map((each) => each.code),
    ["not-atomic"],
  );
});
