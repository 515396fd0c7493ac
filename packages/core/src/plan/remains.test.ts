import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceLabels } from "../model/labels.ts";
import type { KnownInstance, PlanInput } from "./input.ts";
import { makePlan } from "./make-plan.ts";
import { desiredOf, identityOf, inputOf, knownOf, labelsOf, textOf } from "./plan-fixture.ts";

const volumes = ["shop-db-storage"];
const db = desiredOf("db", { volumes });

/** Removed, without its volume. */
function removed(change: Partial<KnownInstance> = {}, of: { readonly lineage?: string } = {}): KnownInstance {
  const instance = identityOf("db");
  const labels = of.lineage === undefined ? instanceLabels(instance) : labelsOf(instance, of.lineage);
  return {
    instance,
    releases: [1, 2],
    entry: { provider: "here", destroyed: true, hasVolumes: true },
    remains: { name: instance.name, stack: "shop", service: "db", labels, volumes },
    ...change,
  };
}

function destroying(change: Partial<PlanInput>, known: KnownInstance): PlanInput {
  return inputOf({ desired: [], goal: "nothing", ...change, known: [known] });
}

const withData = { withVolumes: true } as const;
const named = { ...withData, remove: new Set(["db"]) };

const cases: readonly [name: string, input: PlanInput, expected: readonly string[]][] = [
  ["stays without --volumes", destroying({ remove: new Set(["db"]) }, removed()), []],
  ["is held until it is named", destroying(withData, removed()), ["hold db@here (removed)"]],
  ["goes, named", destroying(named, removed()), ["remove db@here (removed)"]],
  ["of another lineage is left", destroying(named, removed({}, { lineage: "lin_other" })), []],
  ["of others than were named is left", destroying({ ...named, selection: new Set(["web"]) }, removed()), []],
  ["is no business of a deploy", inputOf({ desired: [], ...named, known: [removed()] }), []],
  [
    "of a removal that was begun is held: its data was not spoken of",
    destroying(
      withData,
      removed({ unfinished: { service: "db", deployment: "dep_4", change: 4, isReverting: false } }),
    ),
    ["hold db@here (removed)"],
  ],
];

for (const [name, input, expected] of cases) {
  test(`plan: what a removal left ${name}`, () => assert.deepEqual(textOf(makePlan(input)), expected));
}

test("plan: a removal that was begun goes on; that its data goes too has to be said", () => {
  const begun = knownOf(db, {
    unfinished: { service: "db", deployment: "dep_4", change: 4, from: 3, isReverting: false },
  });
  assert.deepEqual(textOf(makePlan(destroying({}, begun))), ["remove db@here (removed) at 3"]);
  assert.deepEqual(textOf(makePlan(destroying(withData, begun))), ["hold db@here (removed) at 3"]);
  assert.deepEqual(textOf(makePlan(destroying(named, begun))), ["remove db@here (removed) at 3"]);
});

test("plan: where all is removed already, what is left is told, with the command that removes it", () => {
  const { diagnostics } = makePlan(destroying({}, removed()));
  assert.deepEqual(
    diagnostics.map(({ severity, code, summary, hint }) => [severity, code, summary, hint]),
    [
      [
        "info",
        "volumes-left",
        "volumes that removed services left are still there: shop-db-storage",
        "pctl destroy db --volumes removes them, with their data.",
      ],
    ],
  );
  for (const input of [
    destroying(withData, removed()),
    destroying({}, removed({}, { lineage: "lin_other" })),
    destroying({ selection: new Set(["web"]) }, removed()),
    inputOf({ desired: [db], known: [removed()] }),
  ])
    assert.ok(!makePlan(input).diagnostics.some((each) => each.code === "volumes-left"));
});

test("plan: a volume that is there with data is not called new", () => {
  const [again] = makePlan(inputOf({ desired: [db], known: [removed()] })).actions;
  assert.match(again?.summary ?? "", /volume shop-db-storage with the data that it left/);
  assert.deepEqual(again?.volumes, []);
  const [first] = makePlan(inputOf({ desired: [db] })).actions;
  assert.match(first?.summary ?? "", /new volume shop-db-storage/);
  assert.deepEqual(first?.volumes, volumes);
});
