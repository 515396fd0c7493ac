import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { heals, plainly } from "./checks.ts";
import type { Children } from "./children.ts";
import type { Site } from "./plane.ts";
import type { Scenario } from "./scenarios.ts";
import type { Subject, World } from "./subject.ts";
import type { Fault } from "./tap.ts";

export interface StrikeOptions {
  /** Of what is frozen: others wait until its lease ran out, instead of taking it. */
  readonly isLeaseLeft?: boolean;
}

/** A scenario that is ready to be struck, as often as wanted. */
export interface Prepared extends AsyncDisposable {
  /** Every call of the recorded run, in its order. */
  readonly points: readonly string[];
  /** Begins anew, strikes, and heals; resolves with whether the call was met. Rejects where it does not heal. */
  strike(fault: Fault, options?: StrikeOptions): Promise<boolean>;
}

export async function prepare(subject: Subject, children: Children, scenario: Scenario): Promise<Prepared> {
  const root = await mkdtemp(join(tmpdir(), "faults-"));
  const origin = join(root, "before");
  await mkdir(origin);
  const carryOutBefore = async (site: Site): Promise<void> => {
    for (const step of scenario.before)
      assert.equal(await plainly(subject, site, step), step.exitCode ?? 0, "the steps before");
  };
  const world = await subject.start(origin);
  if (world.save !== undefined) await carryOutBefore({ folder: origin, places: world.places });
  const saved = await world.save?.();
  await world.stop();

  let count = 0;
  const anew = async <T>(body: (site: Site, world: World) => Promise<T>): Promise<T> => {
    const folder = join(root, `${(count += 1)}`);
    if (saved === undefined) await mkdir(folder);
    else await cp(origin, folder, { recursive: true });
    const fresh = await subject.start(folder, saved);
    const site = { folder, places: fresh.places };
    try {
      if (saved === undefined) await carryOutBefore(site);
      return await body(site, fresh);
    } finally {
      await fresh.stop();
      await rm(folder, { recursive: true });
    }
  };

  const points = await anew(async (fresh) => {
    const ended = await children.run({ subject: subject.url, site: fresh, step: scenario.during });
    assert.ok(ended.kind === "ended", "the recorded run was killed");
    assert.equal(ended.exitCode, scenario.during.exitCode ?? 0, ended.reason ?? "the recorded run");
    return ended.points;
  });

  const first = points.findIndex((point) => point === "ledger.swap#1" || point === "ledger.create#1");
  // The look under the leases, of all platforms. Whoever is frozen before that takes what is free once it is thawed, and what it does
  // then is right: where one of its leases was lost meanwhile it gives the others back.
  const taken = first < 0 ? -1 : points.indexOf("store.read#2", first);
  assert.ok(first < 0 || taken > first, "a lease was taken, and nothing looked at under it");
  const holdsLease = ({ point }: Fault): boolean => taken >= 0 && points.indexOf(point) >= taken;

  let strikes = 0;
  return {
    points,
    strike: (fault, { isLeaseLeft = false } = {}) =>
      anew(async (fresh, at) => {
        const next = scenario.nexts[(strikes += 1) % scenario.nexts.length];
        assert.ok(next !== undefined);
        const job = { subject: subject.url, site: fresh, step: scenario.during, fault };
        let before: string | undefined;
        const ended = await children.run(job, async () => {
          if (!isLeaseLeft && subject.isUnfenced !== true)
            await plainly(subject, fresh, { command: "unlock", services: next.step.services });
          const unlocked = await at.everything();
          await heals(subject, fresh, at, next);
          const healed = await at.everything();
          // Where all was done already nobody took the lease, and the last record of its own change is its to write.
          if (holdsLease(fault) && healed !== unlocked) before = healed;
        });
        const isSame = before === undefined || before === (await at.everything());
        assert.ok(isSame, "what was frozen wrote once it was thawed");
        await heals(subject, fresh, at, next);
        return ended.kind === "killed" || ended.isStruck;
      }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** How many are struck at a time. */
export const lanes = Math.max(2, availableParallelism());
