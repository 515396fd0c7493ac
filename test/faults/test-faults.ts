import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { randomFrom } from "../e2e/random.ts";
import { isSoak } from "../e2e/soak.ts";
import { Children } from "./children.ts";
import { lanes, prepare } from "./rig.ts";
import { scenarios } from "./scenarios.ts";
import type { Subject } from "./subject.ts";
import { faultKinds, type Fault, type FaultKind } from "./tap.ts";

/** How many points each scenario has at least, by subject: a call that is recorded no more is one that is tried no more. */
const floors = JSON.parse(readFileSync(new URL("points.json", import.meta.url), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, number>>>
>; // written by hand, beside this file

/** Of so many, one is tried in the plain run. With SOAK=1 every one is; `ONE_OF=n` chooses for all, `KIND=kill` those that begin so, `SCENARIO=rolling` scenarios whose names have that. */
const oneOf = { kill: 10, other: 50 };
const askedFor = process.env["ONE_OF"] === undefined ? undefined : Number(process.env["ONE_OF"]);

/** Every call of every scenario, and at each of them every fault. `SEED=n` repeats what a plain run chose. */
export function testFaults(name: string, subject: Subject): void {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9));
  describe(`faults at every call, ${name}`, { concurrency: subject.waits ?? 1 }, () => {
    let children: Children;
    before(() => void (children = new Children(lanes)));
    after(() => children[Symbol.asyncDispose]());
    for (const scenario of scenarios) {
      const lacks = subject.lacks?.[scenario.name];
      if (!isAsked(subject, scenario.name)) continue;
      test(scenario.name, { skip: lacks === undefined ? false : `missing: ${lacks}` }, async (context) => {
        await using prepared = await prepare(subject, children, scenario);
        const floor = floors[name]?.[scenario.name] ?? Infinity;
        const { length } = prepared.points;
        const chosen = choose(subject, prepared.points, seed + scenarios.indexOf(scenario));
        const broken: string[] = [];
        const tried = new Map<string, number>();
        let missed = 0;
        const queue = chosen.values();
        const lane = async (): Promise<void> => {
          for (const fault of queue) {
            const kind = fault.kind.startsWith("error-") ? "errors" : fault.kind;
            tried.set(kind, (tried.get(kind) ?? 0) + 1);
            try {
              if (!(await prepared.strike(fault))) missed += 1;
            } catch (error) {
              broken.push(`${fault.kind} at ${fault.point}: ${error instanceof Error ? error.message : String(error)}`);
            }
          }
        };
        await Promise.all(Array.from({ length: lanes }, lane));
        const counts = [...tried].map(([kind, count]) => `${kind} ${count}`).join(", ");
        context.diagnostic(
          `${scenario.name}: ${length} points, ${chosen.length} of ${length * kindsOf(subject).length} faults tried (${counts}); ${missed} not met; SEED=${seed}`,
        );
        assert.deepEqual(broken, []);
        assert.ok(length >= floor, `only ${length} points, and there were ${floor}: which calls are gone?`);
        // Parallel calls change their order from run to run: a count of one name may be met in one run and not in another.
        assert.ok(missed <= Math.max(2, chosen.length / 4), `${missed} of ${chosen.length} calls were not met`);
      });
    }
  });
}

function isAsked({ plain }: Subject, name: string): boolean {
  const part = process.env["SCENARIO"];
  if (part !== undefined) return name.includes(part);
  return isSoak || askedFor !== undefined || plain === undefined || plain.includes(name);
}

function kindsOf({ kinds = faultKinds }: Subject): readonly FaultKind[] {
  return kinds.filter((kind) => kind.startsWith(process.env["KIND"] ?? ""));
}

function choose(subject: Subject, points: readonly string[], seed: number): Fault[] {
  const random = randomFrom(seed);
  const all = points.flatMap((point) => kindsOf(subject).map((kind): Fault => ({ point, kind })));
  if (isSoak) return subject.takesTurns === true ? inTurns(subject, points, seed) : all;
  const every = ({ kind }: Fault): number =>
    askedFor ?? subject.oneOf ?? (kind.startsWith("kill") ? oneOf.kill : oneOf.other);
  return all.filter((fault) => random() < 1 / every(fault));
}

/** Every call once. */
function inTurns(subject: Subject, points: readonly string[], seed: number): Fault[] {
  const kinds = kindsOf(subject);
  return points.flatMap((point, index) => {
    const kind = kinds[(seed + index) % kinds.length];
    return kind === undefined ? [] : [{ point, kind }];
  });
}
