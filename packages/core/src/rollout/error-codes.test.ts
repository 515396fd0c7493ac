import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes, type ErrorCode } from "../errors/codes.ts";
import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import { machineProvider } from "../provider/machine-provider.ts";
import type { ReplicaDriver } from "./replica-driver.ts";
import { blueGreenStrategy, instance, recreateStrategy, release, rollingStrategy } from "./samples.test.support.ts";
import { SimulatedMachines } from "./simulated-machines.test.support.ts";

/** Every step of a rollout that writes or waits, by the driver's call that fails in it. */
const steps = ["create", "start", "waitReady", "route", "outlive", "drain", "stop", "remove", "settle"] as const;
type Step = (typeof steps)[number];

/** The platform said nothing of the release: the same call may work later, and the way back would not work now. */
const undecided: readonly ErrorCode[] = ["UNAUTHORIZED", "RATE_LIMITED", "UNAVAILABLE", "TIMEOUT", "CANCELLED"];

const old = release(1, "ok");
const next = release(2, "ok2");
const before = "ok-1* ok-2* ok-3*";
const after = "ok2-1* ok2-2* ok2-3*";

interface Attempt {
  readonly error?: CtrlPlaneError;
  /** The step was reached. */
  readonly isStruck: boolean;
}

/** One deploy of release 2 over release 1, in which the first call (or every one) of `step` throws. */
async function deploy(
  world: SimulatedMachines,
  strategy: typeof rollingStrategy,
  step?: Step,
  thrown?: () => Error,
  isForGood = false,
): Promise<Attempt> {
  const { driver, context, journal } = world.process();
  let isStruck = false;
  const struck = (call: Step): ReplicaDriver => {
    const fail = (): Promise<never> | undefined => {
      if (thrown === undefined || (isStruck && !isForGood)) return undefined;
      isStruck = true;
      return Promise.reject(thrown());
    };
    // Whichever call it is: it fails before its effect, or goes on as it would have.
    const original = driver[call] as (...args: unknown[]) => Promise<unknown>;
    return { ...driver, [call]: (...args: unknown[]) => fail() ?? original(...args) };
  };
  const provider = machineProvider({
    driver: step === undefined ? driver : struck(step),
    run: () => assert.fail("not simulated"),
  });
  const request = { instance, release: next, previous: old, replicas: 3, strategy, deployment: "dep_2", journal };
  const [outcome] = await Promise.allSettled([world.run(provider.deploy(request, context))]);
  if (outcome?.status !== "rejected") return { isStruck };
  assert.ok(isCtrlPlaneError(outcome.reason), String(outcome.reason));
  return { isStruck, error: outcome.reason };
}

async function serving(): Promise<SimulatedMachines> {
  const world = new SimulatedMachines();
  const { driver, context, journal } = world.process();
  const provider = machineProvider({ driver, run: () => assert.fail("not simulated") });
  const request = { instance, release: old, replicas: 3, strategy: rollingStrategy, deployment: "dep_1", journal };
  await world.run(provider.deploy(request, context));
  world.decisions = [];
  return world;
}

/** What a failed release is told with: its verdict where a replica was judged, else the code and the words of what was thrown. */
function told(code: ErrorCode | "none"): { readonly code: ErrorCode; readonly failure: object } {
  const message = `refused with ${code}`;
  if (code === "FAILED") return { code, failure: { verdict: "OOM" } };
  if (code === "QUOTA") return { code: "FAILED", failure: { verdict: "QUOTA" } };
  const own = code === "none" ? "INTERNAL" : code;
  return { code: own, failure: { code: own, reason: message } };
}

function thrownOf(code: ErrorCode | "none"): Error {
  const message = `refused with ${code}`;
  if (code === "none") return new Error(message);
  const failure = code === "FAILED" ? { failure: { verdict: "OOM" } as const } : {};
  return new CtrlPlaneError(code, message, { hint: "ask the administrator", ...failure });
}

for (const strategy of [rollingStrategy, recreateStrategy, { ...blueGreenStrategy, pause: { ms: 0 } }]) {
  for (const step of steps) {
    test(`${strategy.type}: an error of each code at ${step}`, async () => {
      for (const code of [...errorCodes, "none"] as const) {
        const world = await serving();
        const where = `${code} at ${step}`;
        if (strategy.type !== "recreate")
          world.invariant = () => assert.ok(world.isServing(), `${where}: nobody serves`);
        const { error, isStruck } = await deploy(world, strategy, step, () => thrownOf(code));
        // Without two generations side by side there is nothing to wait for.
        if (strategy.type === "recreate" && step === "outlive") {
          assert.deepEqual([isStruck, error, world.look()], [false, undefined, after]);
          continue;
        }
        assert.ok(isStruck && error !== undefined, where);
        assert.equal(error.message, `refused with ${code}`, where);
        if (code !== "none" && undecided.includes(code)) {
          assert.deepEqual([error.code, error.failure], [code, undefined], where);
          assert.ok(
            world.decisions.every((each) => each.kind !== "revert"),
            where,
          );
          await deploy(world, strategy);
          assert.equal(world.look(), after, `${where}: the same call goes on`);
          assert.equal(world.settled?.number, 2, where);
          continue;
        }
        const expected = told(code);
        assert.deepEqual({ ...error.failure }, { ...expected.failure, reverted: true }, where);
        assert.equal(error.code, expected.code, where);
        if (code !== "none") assert.equal(error.hint, "ask the administrator", where);
        assert.deepEqual(world.decisions.at(-1), { kind: "revert", failure: expected.failure }, where);
        assert.equal(world.look(), before, where);
        assert.equal(world.settled?.number, 1, where);
        const [event] = world.told.filter((each) => each.type === "replica.failed");
        const hint = code === "none" ? {} : { hint: "ask the administrator" };
        assert.deepEqual(event?.data, { ...expected.failure, ...hint }, where);
      }
    });
  }
}

test("where the way back meets the same, it is told what failed and what is left to do, and the next call finishes it", async () => {
  for (const code of ["INTERNAL", "FORBIDDEN", "QUOTA"] as const) {
    const world = await serving();
    world.invariant = () => assert.ok(world.isServing(), "somebody serves");
    const { error } = await deploy(world, rollingStrategy, "route", () => thrownOf(code), true);
    const expected = told(code);
    assert.deepEqual([error?.code, error?.failure], [expected.code, { ...expected.failure, reverted: false }]);
    assert.match(error?.message ?? "", /^refused with .*; the way back was not finished: refused with /);
    assert.equal(error?.hint, "pctl deploy finishes the way back first");
    const again = await deploy(world, rollingStrategy);
    assert.deepEqual(
      [again.error?.code, again.error?.failure],
      [expected.code, { ...expected.failure, reverted: true }],
    );
    assert.equal(again.error?.message, code === "QUOTA" ? "release 2 failed: QUOTA" : `refused with ${code}`);
    assert.equal(world.look(), before);
  }
});
