import assert from "node:assert/strict";
import type { Change } from "@ctrlplane/core";
import { carryOut, makePlane, parse, stackOf, type Site } from "./plane.ts";
import type { Next, Step } from "./scenarios.ts";
import type { Subject, World } from "./subject.ts";
import { Tap } from "./tap.ts";

/** One step without a fault, in this process. */
export async function plainly(subject: Subject, site: Site, step: Step): Promise<number> {
  const plane = makePlane(subject, site, new Tap());
  try {
    return await carryOut(plane, await parse(subject, site, step.services), step);
  } finally {
    await plane.close();
  }
}

/** Whatever was left: one plain command, and what runs is what is declared, once, and nothing is unfinished. */
export async function heals(subject: Subject, site: Site, world: World, { step, runs }: Next): Promise<void> {
  const exitCode = await plainly(subject, site, step);
  assert.equal(exitCode, 0, exitCode === 0 ? "" : `${step.command}: ${await whyLast(subject, site, step)}`);
  await isRight(subject, site, world, { services: step.command === "destroy" ? "" : step.services, runs });
}

/** What the last change on record says of its services. */
async function whyLast(subject: Subject, site: Site, step: Step): Promise<string> {
  const plane = makePlane(subject, site, new Tap());
  try {
    const [last] = await plane.stacks.history(await parse(subject, site, step.services), { limit: 1 });
    return JSON.stringify(last?.result?.services ?? last);
  } finally {
    await plane.close();
  }
}

/** What runs is `runs`, nothing else of it is there, a plan finds nothing to do, and the history is one. `struck`: how many commands were. */
export async function isRight(
  subject: Subject,
  site: Site,
  world: World,
  of: { readonly services: string; readonly runs: readonly string[]; readonly struck?: number },
): Promise<void> {
  const replicas = await world.replicas();
  assert.deepEqual(
    replicas.map(({ name, image, isRunning }) => `${name} ${image}${isRunning ? "" : " (stopped)"}`),
    of.runs,
    "what is there is not what is declared",
  );
  assert.deepEqual((await world.orphans?.(of.services, of.runs)) ?? [], [], "something is left over");
  await world.reach?.(of.services);
  const unfinished = (await world.records()).filter((name) => name.includes("/intents/"));
  assert.deepEqual(unfinished, [], "a deployment is left unfinished");
  const plane = makePlane(subject, site, new Tap());
  try {
    const stack = await parse(subject, site, of.services);
    const { actions } = await plane.stacks.plan(stack);
    assert.deepEqual(
      actions.filter((each) => each.kind !== "keep").map((each) => `${each.key} ${each.kind}`),
      [],
      "a plan still finds something to do",
    );
    isOneHistory(await plane.stacks.history(stack, { limit: 100 }), of.struck ?? 1);
    const document = await plane.stacks.state.show(stack);
    const living = Object.entries(document?.entries ?? {}).filter(([, entry]) => entry.destroyed !== true);
    const services = new Set(
      of.runs.map((each) => each.replace(/-\d+ .*| .*/, "").replace(/^shop/, stackOf(subject, site))),
    );
    const recorded = new Set(living.map(([key]) => key.split("@")[0] ?? key));
    for (const each of services) assert.ok(recorded.has(each), `${each} runs, and is not in the state file`);
  } finally {
    await plane.close();
  }
}

/** Numbers fall by the list, none is there twice, and at most those that were struck have no end. */
function isOneHistory(history: readonly Change[], struck: number): void {
  const numbers = history.map((each) => each.number);
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].toSorted((a, b) => b - a),
    "the history is not in order",
  );
  const open = history.filter((each) => each.result === undefined).length;
  assert.ok(open <= struck, `${open} changes have no end, and ${struck} were struck`);
}
