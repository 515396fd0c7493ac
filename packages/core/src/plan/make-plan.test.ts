import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownInstance, PlanInput } from "./input.ts";
import { makePlan } from "./make-plan.ts";
import { desiredOf, identityOf, inputOf, knownOf, labelsOf, observedOf, settledOf, textOf } from "./plan-fixture.ts";

const web = desiredOf("web");
const two = desiredOf("web", { spec: { scale: { replicas: 2 } } });

const unfinished = { service: "web", deployment: "dep_4", change: 9, from: 3, to: 4, isReverting: false };

const cases: readonly [name: string, input: PlanInput, expected: readonly string[]][] = [
  ["a first service", inputOf({ desired: [web] }), ["create web@here (new) -→1"]],
  ["what serves as declared", inputOf({ desired: [web], known: [knownOf(web)] }), ["keep web@here at 3"]],
  [
    "other files behind the same image",
    inputOf({ desired: [desiredOf("web", { content: "2" })], known: [knownOf(web, { served: servedBy(web) })] }),
    ["update web@here (source) 3→4"],
  ],
  [
    "a changed declaration that replaces replicas",
    inputOf({
      desired: [desiredOf("web", { spec: { env: { A: "1" } } })],
      known: [knownOf(web, { served: servedBy(web) })],
    }),
    ["update web@here (configuration) 3→4"],
  ],
  [
    "a changed declaration that replaces none",
    inputOf({ desired: [two], known: [knownOf(web, { served: servedBy(web) })] }),
    ["configure web@here (configuration) 3→4"],
  ],
  [
    "replicas that are gone",
    inputOf({ desired: [web], known: [knownOf(web, { observed: observedOf(web, { revisions: [], state: "down" }) })] }),
    ["configure web@here (missing) at 3"],
  ],
  [
    "replicas that are there and not ready",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, {
          observed: observedOf(web, {
            state: "down",
            revisions: [{ replicaHash: web.revision.replicaHash, generation: 0, desired: 1, ready: 0, weight: 100 }],
          }),
        }),
      ],
    }),
    ["configure web@here (drift) at 3"],
  ],
  [
    "a foreign revision beside the settled one",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, {
          observed: observedOf(web, {
            revisions: [
              ...observedOf(web).revisions,
              { replicaHash: "other", generation: 0, desired: 1, ready: 1, weight: 0 },
            ],
          }),
        }),
      ],
    }),
    ["configure web@here (drift) at 3"],
  ],
  [
    "an observed field that was changed by hand",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, {
          observed: observedOf(web, { observedFields: ["scale.memoryMb"], fields: { "scale.memoryMb": 64 } }),
        }),
      ],
    }),
    ["configure web@here (drift) at 3"],
  ],
  [
    "a manual scale",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, {
          observed: observedOf(two, {
            settled: settledOf(web, { replicas: 2, scaledBy: { by: "ada", at: "", change: 7 } }),
          }),
        }),
      ],
    }),
    ["configure web@here (override) at 3"],
  ],
  [
    "a stopped service",
    inputOf({
      desired: [web],
      known: [knownOf(web, { observed: observedOf(web, { stopped: true, state: "stopped", revisions: [] }) })],
    }),
    ["configure web@here (override) at 3"],
  ],
  [
    "recorded and removed by hand",
    inputOf({
      desired: [web],
      known: [{ instance: web.instance, releases: [1, 2, 3], entry: { provider: "here", release: 3 } }],
    }),
    ["create web@here (missing) 3→4"],
  ],
  [
    "destroyed and wanted again",
    inputOf({
      desired: [web],
      known: [
        { instance: web.instance, releases: [1, 2, 3], entry: { provider: "here", release: 3, destroyed: true } },
      ],
    }),
    ["create web@here (new) -→4"],
  ],
  [
    "a deployment of what is still wanted, not finished",
    inputOf({
      desired: [two],
      known: [knownOf(web, { unfinished, unfinishedSpecHash: two.specHash, releases: [3, 4] })],
    }),
    ["resume web@here (recovery) 3→4"],
  ],
  [
    "a deployment of something else, not finished",
    inputOf({
      desired: [web],
      known: [knownOf(web, { unfinished, unfinishedSpecHash: two.specHash, releases: [3, 4] })],
    }),
    ["revert web@here (recovery) 3→5"],
  ],
  [
    "a way back that was begun is finished, though its target is wanted",
    inputOf({
      desired: [two],
      known: [
        knownOf(web, {
          unfinished: { ...unfinished, isReverting: true },
          unfinishedSpecHash: two.specHash,
          releases: [3, 4],
        }),
      ],
    }),
    ["revert web@here (recovery) 3→5"],
  ],
  [
    "a removal that was not finished, of what is wanted again",
    inputOf({
      desired: [web],
      known: [
        knownOf(web, { unfinished: { service: "web", deployment: "dep_4", change: 9, from: 3, isReverting: false } }),
      ],
    }),
    ["configure web@here (recovery) at 3"],
  ],
  [
    "pctl 1.1's, unchanged by its fingerprint",
    inputOf({
      desired: [{ ...web, fingerprint: "f" }],
      known: [legacy({ provider: "here", fingerprint: "f", replica: 1 })],
    }),
    ["keep web@here"],
  ],
  [
    "pctl 1.1's, changed",
    inputOf({
      desired: [{ ...web, fingerprint: "g" }],
      known: [legacy({ provider: "here", fingerprint: "f", replica: 1 })],
    }),
    ["update web@here (configuration) -→4"],
  ],
  [
    "a service that left the file goes last",
    inputOf({ desired: [two], known: [knownOf(web, { served: servedBy(web) }), knownOf(desiredOf("old"))] }),
    ["configure web@here (configuration) 3→4", "remove old@here (removed) at 3 after web@here"],
  ],
  [
    "one with volumes asks",
    inputOf({ desired: [], known: [knownOf(desiredOf("db", { volumes: ["shop-db-storage"] }))] }),
    ["hold db@here (removed) at 3"],
  ],
  [
    "one with volumes, named",
    inputOf({
      desired: [],
      known: [knownOf(desiredOf("db", { volumes: ["shop-db-storage"] }))],
      remove: new Set(["db"]),
    }),
    ["remove db@here (removed) at 3"],
  ],
  [
    "a protected one asks",
    inputOf({ desired: [], known: [knownOf(web, { entry: { provider: "here", protect: true } })] }),
    ["hold web@here (removed) at 3"],
  ],
  [
    "a command that names services removes nothing",
    inputOf({ desired: [web], known: [knownOf(desiredOf("old"))], selection: new Set(["web"]) }),
    ["create web@here (new) -→1"],
  ],
  [
    "what is needed comes first, at any depth",
    inputOf({ desired: [desiredOf("web", { needs: ["api"] }), desiredOf("api", { needs: ["db"] }), desiredOf("db")] }),
    ["create web@here (new) -→1 after api@here", "create api@here (new) -→1 after db@here", "create db@here (new) -→1"],
  ],
  [
    "what is needed and kept is not waited for",
    inputOf({ desired: [desiredOf("web", { needs: ["db"] }), desiredOf("db")], known: [knownOf(desiredOf("db"))] }),
    ["create web@here (new) -→1", "keep db@here at 3"],
  ],
  [
    "a moved service: up there, then away here",
    inputOf({ desired: [desiredOf("web", { provider: "there" })], known: [knownOf(web)] }),
    ["create web@there (moved) -→1", "remove web@here (moved) at 3 after web@there"],
  ],
  [
    "a renamed service: up under its new name, then away under the old one",
    inputOf({ desired: [desiredOf("web", { spec: { formerly: "site" } })], known: [knownOf(desiredOf("site"))] }),
    ["create web@here (moved) -→1", "remove site@here (moved) at 3 after web@here"],
  ],
  [
    "an address that changes hands: its holder goes first",
    inputOf({
      desired: [desiredOf("web", { publishes: ["0.0.0.0:8080"] })],
      known: [
        knownOf(desiredOf("old"), { observed: observedOf(desiredOf("old"), { addresses: ["http://127.0.0.1:8080"] }) }),
      ],
    }),
    ["create web@here (new) -→1 after old@here", "remove old@here (removed) at 3"],
  ],
  [
    "a move on one machine with its port: it stops here while it comes up there, and goes at the end",
    inputOf({
      desired: [desiredOf("web", { provider: "there", publishes: ["127.0.0.1:8080"] })],
      known: [knownOf(web, { observed: observedOf(web, { addresses: ["http://127.0.0.1:8080"] }) })],
      hosts: new Map([
        ["here", "one machine"],
        ["there", "one machine"],
      ]),
    }),
    ["create web@there (moved) -→1 takes over web@here", "remove web@here (moved) at 3 after web@there"],
  ],
  [
    "a rename with its port is handed over, too",
    inputOf({
      desired: [desiredOf("web", { spec: { formerly: "site" }, publishes: ["0.0.0.0:8080"] })],
      known: [
        knownOf(desiredOf("site"), {
          observed: observedOf(desiredOf("site"), { addresses: ["http://127.0.0.1:8080"] }),
        }),
      ],
    }),
    ["create web@here (moved) -→1 takes over site@here", "remove site@here (moved) at 3 after web@here"],
  ],
  [
    "one that was stopped for its successor is so still",
    inputOf({
      desired: [desiredOf("web", { provider: "there", publishes: ["127.0.0.1:8080"] })],
      known: [
        knownOf(web, {
          unfinished: { service: "web", deployment: "dep_9", change: 9, from: 3, to: 3, isReverting: false },
        }),
      ],
    }),
    ["create web@there (moved) -→1 takes over web@here", "remove web@here (moved) at 3 after web@there"],
  ],
  [
    "a platform that cannot be reached takes its own services out",
    inputOf({
      desired: [web, desiredOf("api", { provider: "there" })],
      known: [knownOf(web)],
      unreachable: new Map([["there", { message: "connection refused" }]]),
    }),
    ["keep web@here at 3", "unreachable api@there -→1"],
  ],
  [
    "destroy: what needs another goes before it",
    inputOf({
      goal: "nothing",
      desired: [],
      needs: new Map([["web", ["api"]]]),
      known: [knownOf(desiredOf("api")), knownOf(web)],
    }),
    ["remove api@here (removed) at 3 after web@here", "remove web@here (removed) at 3"],
  ],
  [
    "destroy of what cannot be reached did not happen",
    inputOf({
      goal: "nothing",
      desired: [],
      known: [{ instance: web.instance, releases: [], entry: { provider: "here", release: 3 } }],
      unreachable: new Map([["here", { message: "connection refused" }]]),
    }),
    ["unreachable web@here (removed)"],
  ],
];

for (const [name, input, expected] of cases) {
  test(`plan: ${name}`, () => {
    assert.deepEqual(textOf(makePlan(input)), expected);
  });
}

for (const other of ["lin_other", undefined]) {
  test(`plan: an instance ${other === undefined ? "without lineage" : "of another lineage"} is refused, never touched`, () => {
    const observed = observedOf(web, { labels: labelsOf(web.instance, other) });
    const plan = makePlan(inputOf({ desired: [web], known: [knownOf(web, { observed })] }));
    assert.deepEqual(textOf(plan), ["hold web@here (foreign)"]);
    assert.deepEqual(
      plan.diagnostics.map((each) => [each.severity, each.code]),
      [["error", "foreign"]],
    );
  });
}

test("plan: --adopt takes over what has no lineage, and nothing else", () => {
  const bare = observedOf(web, { labels: labelsOf(web.instance, undefined) });
  const plan = makePlan(inputOf({ desired: [web], known: [knownOf(web, { observed: bare })], adopt: true }));
  assert.deepEqual(textOf(plan), ["keep web@here at 3"]);
  const foreign = observedOf(web, { labels: labelsOf(web.instance, "lin_other") });
  const refused = makePlan(inputOf({ desired: [web], known: [knownOf(web, { observed: foreign })], adopt: true }));
  assert.deepEqual(textOf(refused), ["hold web@here (foreign)"]);
});

test("plan: one port of one machine cannot be published by two platforms", () => {
  const one = desiredOf("web", { publishes: ["0.0.0.0:8080"] });
  const other = desiredOf("api", { publishes: ["127.0.0.1:8080"], provider: "there" });
  const codesOn = (machine: string): string[] =>
    makePlan(
      inputOf({
        desired: [one, other],
        hosts: new Map([
          ["here", "one"],
          ["there", machine],
        ]),
      }),
    ).diagnostics.map((each) => each.code);
  assert.deepEqual(codesOn("one"), ["host-port"]);
  assert.deepEqual(codesOn("two"), []);
});

test("plan: a move with volumes is refused unless they are left", () => {
  const moved = desiredOf("web", { provider: "there", volumes: ["shop-web-storage"] });
  const known = [knownOf(desiredOf("web", { volumes: ["shop-web-storage"] }))];
  const refused = makePlan(inputOf({ desired: [moved], known }));
  assert.deepEqual(
    refused.diagnostics.map((each) => each.code),
    ["move-with-volumes"],
  );
  const left = makePlan(inputOf({ desired: [moved], known, leaveVolumes: true }));
  assert.deepEqual(textOf(left), ["create web@there (moved) -→1", "remove web@here (moved) at 3 after web@there"]);
});

test("plan: environment values are masked, and told field by field", () => {
  const changed = desiredOf("web", { spec: { env: { TOKEN: "new-secret", DEBUG: "1" }, scale: { replicas: 2 } } });
  const before = desiredOf("web", { spec: { env: { TOKEN: "old-secret" } } });
  const plan = makePlan(inputOf({ desired: [changed], known: [knownOf(before, { served: servedBy(before) })] }));
  const text = JSON.stringify(plan);
  assert.ok(!text.includes("old-secret") && !text.includes("new-secret"), text);
  assert.deepEqual(
    plan.actions[0]?.changes.map((each) => [each.path, each.before, each.after]),
    [
      ["env.DEBUG", undefined, "••••••"],
      ["env.TOKEN", "••••••", "••••••"],
      ["scale.replicas", "1", "2"],
    ],
  );
});

const here = desiredOf("web", { content: "2" });
const there = desiredOf("web", { content: "2", provider: "there" });
const api = desiredOf("api", { needs: ["web"] });

test("plan: instances of one service are a group with one number, and what needs it waits for all of them", () => {
  const before = desiredOf("web");
  const plan = makePlan(
    inputOf({ desired: [here, there, api], known: [knownOf(before, { served: servedBy(before) })] }),
  );
  assert.deepEqual(textOf(plan), [
    "update web@here (source) 3→4",
    "create web@there (new) -→4",
    "create api@here (new) -→1 after web@here web@there",
  ]);
  assert.deepEqual(
    plan.actions.map((each) => each.group),
    ["web", "web", undefined],
  );
});

test("plan: one that joins gets the number of what serves beside it", () => {
  const plan = makePlan(inputOf({ desired: [here, there], known: [knownOf(here)] }));
  assert.deepEqual(textOf(plan), ["keep web@here at 3", "create web@there (new) -→3"]);
});

test("plan: where one of the platforms is out of reach nothing of the service is begun", () => {
  const plan = makePlan(
    inputOf({ desired: [here, there, api], unreachable: new Map([["there", { message: "no route" }]]) }),
  );
  assert.deepEqual(plan.actions.map(({ key, kind, summary }) => `${kind} ${key} ${summary}`).slice(0, 2), [
    "unreachable web@here not begun, because there cannot be reached: no route",
    "unreachable web@there no route",
  ]);
  assert.equal(plan.actions[2]?.kind, "create");
});

test("plan: two names for one platform are refused", () => {
  const same = { ...there, instance: { ...there.instance, platformId: here.instance.platformId } };
  const [problem] = makePlan(inputOf({ desired: [here, same] })).diagnostics;
  assert.equal(problem?.code, "same-platform");
});

test("plan: one that leaves while others stay is removed; what takes the place of another is a move", () => {
  const entry = { provider: "here", platformId: here.instance.platformId };
  const known = [knownOf(here, { entry }), knownOf(there)];
  assert.deepEqual(textOf(makePlan(inputOf({ desired: [here], known }))), [
    "keep web@here at 3",
    "remove web@there (removed) at 3",
  ]);
  assert.deepEqual(textOf(makePlan(inputOf({ desired: [here], known: [knownOf(there)] }))), [
    "create web@here (moved) -→1",
    "remove web@there (moved) at 3 after web@here",
  ]);
});

test("plan: atomic is one group, and refuses what could not be taken back", () => {
  const plan = makePlan(inputOf({ desired: [here, api], atomic: true }));
  assert.deepEqual(
    plan.actions.map((each) => each.group),
    ["*", "*"],
  );
  assert.equal(plan.hash, makePlan(inputOf({ desired: [here, api] })).hash, "the same plan as the one reviewed");
  const { strategy } = web.spec;
  const held = desiredOf("web", { spec: { strategy: { ...strategy, onFailure: "hold" } } });
  assert.deepEqual(
    makePlan(inputOf({ desired: [held], atomic: true })).diagnostics.map((each) => each.code),
    ["not-atomic"],
  );
  const taker = desiredOf("next", { publishes: ["0.0.0.0:80"] });
  const holder = knownOf(web, { observed: observedOf(web, { addresses: ["http://127.0.0.1:80"] }) });
  assert.deepEqual(
    makePlan(inputOf({ desired: [taker], known: [holder], atomic: true })).diagnostics.map((each) => each.code),
    ["not-atomic"],
  );
});

test("plan: what cannot be reached says why and what to do, and claims nothing of what is there", () => {
  const hint = "Is it up?";
  const unreachable = new Map([["here", { message: "no route", problem: { code: "UNAVAILABLE" as const, hint } }]]);
  const known: KnownInstance = { instance: web.instance, releases: [], entry: { provider: "here", release: 3 } };
  const [action] = makePlan(inputOf({ desired: [web], known: [known], unreachable })).actions;
  const { kind, summary, notes, problem } = action ?? {};
  assert.deepEqual(
    { kind, summary, notes, problem },
    { kind: "unreachable", summary: "no route", notes: [], problem: { code: "UNAVAILABLE", hint } },
  );
});

test("plan: the same input gives the same hash, and what apply acts on changes it", () => {
  const one = makePlan(inputOf({ desired: [web] }));
  assert.equal(makePlan(inputOf({ desired: [desiredOf("web")] })).hash, one.hash);
  assert.notEqual(makePlan(inputOf({ desired: [two] })).hash, one.hash);
  assert.notEqual(makePlan(inputOf({ desired: [web], known: [knownOf(web)] })).hash, one.hash);
});

function servedBy(desired: typeof web): NonNullable<KnownInstance["served"]> {
  const { instance, spec, image, revision, specHash } = desired;
  return {
    id: "rel_web",
    number: 3,
    instance,
    spec,
    image,
    revision,
    specHash,
    change: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
  };
}

function legacy(entry: NonNullable<KnownInstance["entry"]>): KnownInstance {
  const instance = identityOf("web");
  const { settled: _, ...observed } = observedOf(desiredOf("web"), { labels: labelsOf(instance, undefined) });
  return { instance, releases: [1, 2, 3], observed, entry };
}
