import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Ledger } from "../provider/ledger.ts";
import { fileLedger } from "./file-ledger.ts";
import { acquireLease, breakLease, leaseHolder } from "./lease.ts";
import type { AcquireLeaseOptions, Lease } from "./lease.ts";
import type { LeaseHolder } from "./lease-record.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { currentHolder } from "./process-identity.ts";
import { FakeClock, systemClock } from "./testing/clocks.ts";
import { testContext } from "./testing/context.ts";
import { startScript } from "./testing/processes.ts";

/** On another machine, so that nobody can judge its pid. */
function foreign(id: string): LeaseHolder {
  return { id, user: id, host: "elsewhere", pid: 1, startTime: "1", hostId: "another", command: "deploy" };
}

function acquire(
  ledger: Ledger,
  clock: FakeClock,
  holder: LeaseHolder,
  more: Partial<AcquireLeaseOptions> = {},
): Promise<Lease> {
  return acquireLease({ ledger, stack: "shop", holder, clock, context: testContext(), ...more });
}

/** What became of a promise so far. */
function watched<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.error = error),
  );
  return seen;
}

/** What was to be done at once has been done. */
function done(): Promise<void> {
  return setImmediate();
}

const lost = { code: "CONFLICT", target: "lease" };

describe("a lease", () => {
  it("rises its epoch with every holder, and is free once released", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    let before = 0;
    for (let holder = 1; holder <= 3; holder += 1) {
      const lease = await acquire(ledger, clock, foreign("ana"));
      assert.ok(lease.epoch > before);
      before = lease.epoch;
      assert.equal(lease.fence.epoch, lease.epoch);
      await lease.fence.check();
      assert.equal((await leaseHolder(ledger, { stack: "shop" }, testContext()))?.holder.user, "ana");
      await lease.release();
      await assert.rejects(lease.fence.check(), lost);
      assert.ok(!lease.lost.aborted, "to give it back is not to lose it");
      await lease.release();
      assert.equal(await leaseHolder(ledger, { stack: "shop" }, testContext()), undefined);
    }
  });

  it("is known as one's own where the write that took it arrived twice", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const twice: Ledger = {
      ...ledger,
      create: async (name, value, context) => {
        await ledger.create(name, value, context);
        return ledger.create(name, value, context);
      },
    };
    // The clock stands still: whoever waited for a holder would wait for ever.
    const lease = await acquire(twice, clock, foreign("ana"));
    await lease.fence.check();
    await lease.release();
    assert.equal(await leaseHolder(ledger, { stack: "shop" }, testContext()), undefined);
  });

  it("has a higher epoch even when its record was lost, or damaged and broken", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const context = testContext({ clock });
    const first = await acquire(ledger, clock, foreign("ana"));
    await first.release();
    clock.freeze(1_000);
    await ledger.remove("stacks/shop/lease", undefined, context);
    const second = await acquire(ledger, clock, foreign("ana"));
    assert.ok(second.epoch > first.epoch);
    await second.release();
    clock.freeze(1_000);
    await ledger.remove("stacks/shop/lease", undefined, context);
    await ledger.create("stacks/shop/lease", "{", context);
    await assert.rejects(acquire(ledger, clock, foreign("ana")), { code: "INVALID" });
    assert.equal(await breakLease(ledger, { stack: "shop" }, context), undefined);
    const third = await acquire(ledger, clock, foreign("ana"));
    assert.ok(third.epoch > second.epoch);
    await third.release();
  });

  it("stops being waited for when the command is cancelled", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const first = await acquire(ledger, clock, foreign("ana"));
    const cancelled = new AbortController();
    const waiting = watched(
      acquire(ledger, clock, foreign("ben"), { context: testContext({ signal: cancelled.signal }) }),
    );
    await clock.advance(1_000);
    cancelled.abort();
    await clock.advance(0);
    assert.equal(waiting.error instanceof CtrlPlaneError && waiting.error.code, "CANCELLED");
    await first.fence.check();
    await first.release();
  });

  it("belongs to one stack of one tenant", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const leases = [
      await acquire(ledger, clock, foreign("ana")),
      await acquire(ledger, clock, foreign("ben"), { stack: "blog" }),
      await acquire(ledger, clock, foreign("cid"), { tenant: "acme" }),
    ];
    for (const lease of leases) await lease.release();
  });

  it("goes to the waiting one as soon as it is released", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const first = await acquire(ledger, clock, foreign("ana"));
    const waitedFor: string[] = [];
    const second = watched(
      acquire(ledger, clock, foreign("ben"), { onWaiting: (holder) => waitedFor.push(holder.user) }),
    );
    await clock.advance(3_000);
    assert.deepEqual(second, {});
    await first.release();
    await clock.advance(500);
    assert.ok(second.value !== undefined);
    assert.deepEqual(waitedFor, ["ana"]);
    await second.value?.release();
  });

  it("is not given up by a holder that keeps renewing: who waits is told by whom, and may wait longer", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const first = await acquire(ledger, clock, foreign("ana"));
    const impatient = watched(acquire(ledger, clock, foreign("ben")));
    const patient = watched(acquire(ledger, clock, foreign("cid"), { waitMs: 600_000 }));
    await clock.advance(14_000);
    assert.deepEqual(impatient, {});
    await clock.advance(2_000);
    assert.ok(impatient.error instanceof CtrlPlaneError);
    assert.equal(impatient.error.code, "CONFLICT");
    assert.equal(impatient.error.target, "lease");
    assert.match(
      impatient.error.message,
      /shop is being changed by ana on elsewhere \(deploy, pid 1, since 2026-01-01T00:00:00.000Z\)/,
    );
    await clock.advance(300_000);
    assert.deepEqual(patient, {});
    await first.fence.check();
    await first.release();
    await clock.advance(500);
    assert.ok(patient.value !== undefined);
    await patient.value?.release();
  });

  it("is refused at once to who does not want to wait", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const first = await acquire(ledger, clock, foreign("ana"));
    await assert.rejects(acquire(ledger, clock, foreign("ben"), { waitMs: 0 }), lost);
    await first.release();
  });

  it("of a foreign holder that died runs out after 15 s of the waiting one's own clock", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const theirs = new FakeClock();
    // Its wall clock is a day off, and it never moves again: the holder is dead.
    theirs.freeze(86_400_000);
    await acquire(ledger, theirs, foreign("ana"));
    const second = watched(acquire(ledger, clock, foreign("ben")));
    await clock.advance(14_500);
    assert.deepEqual(second, {});
    await clock.advance(1_000);
    assert.ok(second.value !== undefined);
    await second.value?.release();
  });

  it("of a holder that dies while one waits is waited for to its end, not refused", async () => {
    const [ledger, clock, theirs] = [memoryLedger(), new FakeClock(), new FakeClock()];
    await acquire(ledger, theirs, foreign("ana"));
    const second = watched(acquire(ledger, clock, foreign("ben")));
    await clock.advance(3_000);
    await theirs.advance(4_000);
    await clock.advance(13_000);
    assert.deepEqual(second, {}, "one renewal long ago does not mean that it lives");
    await clock.advance(3_000);
    assert.ok(second.value !== undefined);
    await second.value?.release();
  });

  it("once taken over lets the old holder write no more", async () => {
    const [ledger, clock, theirs] = [memoryLedger(), new FakeClock(), new FakeClock()];
    const first = await acquire(ledger, theirs, foreign("ana"));
    const taking = acquire(ledger, clock, foreign("ben"));
    await clock.advance(16_000);
    const second = await taking;
    // The old holder was frozen and wakes: its clock alone says that it may write no more, before it knows why.
    theirs.freeze(16_000);
    const write = watched(first.fence.check());
    await done();
    assert.deepEqual(write, {});
    await theirs.advance(0);
    assert.match(String(write.error), /it was taken by ben on elsewhere/);
    assert.ok(first.lost.aborted);
    await second.fence.check();
    await second.release();
  });

  it("that was taken away is noticed at the next renewal", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const first = await acquire(ledger, clock, foreign("ana"));
    const broken = await breakLease(ledger, { stack: "shop" }, testContext());
    assert.equal(broken?.holder.user, "ana");
    const second = await acquire(ledger, clock, foreign("ben"));
    assert.equal(second.epoch, first.epoch + 2);
    await clock.advance(4_000);
    assert.ok(first.lost.aborted);
    assert.match(String(first.lost.reason), /taken by ben on elsewhere/);
    await first.release();
    assert.equal((await leaseHolder(ledger, { stack: "shop" }, testContext()))?.holder.user, "ben");
    await second.release();
    assert.equal(await breakLease(ledger, { stack: "shop" }, testContext()), undefined);
  });

  for (const isTaken of [false, true]) {
    const outcome = isTaken ? "lost to who took it meanwhile" : "held on where nobody took it";
    it(`of a machine that slept, while the clock that never goes back stood still, is ${outcome}`, async () => {
      const [ledger, clock] = [memoryLedger(), new FakeClock()];
      let sleptMs = 0;
      const machine = {
        now: () => clock.now() + sleptMs,
        monotonic: () => clock.monotonic(),
        sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
      };
      const lease = await acquireLease({
        ledger,
        stack: "shop",
        holder: foreign("ana"),
        clock: machine,
        context: testContext(),
      });
      await lease.fence.check();
      sleptMs = 3_600_000;
      const write = watched(lease.fence.check());
      if (isTaken) await breakLease(ledger, { stack: "shop" }, testContext());
      await done();
      assert.deepEqual(write, {});
      await clock.advance(4_000);
      if (isTaken) assert.match(String(write.error), /the lease of shop was lost/);
      else assert.deepEqual(write, { value: undefined });
      assert.equal(lease.lost.aborted, isTaken);
      await lease.release();
    });
  }
});

describe("a lease on a ledger that fails", () => {
  it("survives a short failure; through a long one nothing is written, and it is lost in the end", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    let isDown = false;
    const shaky: Ledger = {
      ...ledger,
      swap: (...args) => (isDown ? Promise.reject(new CtrlPlaneError("UNAVAILABLE", "down")) : ledger.swap(...args)),
    };
    const lease = await acquire(shaky, clock, foreign("ana"));
    isDown = true;
    await clock.advance(9_000);
    await lease.fence.check();
    isDown = false;
    await clock.advance(20_000);
    await lease.fence.check();
    isDown = true;
    await clock.advance(15_000);
    const first = watched(lease.fence.check());
    await clock.advance(30_000);
    assert.deepEqual(first, {});
    isDown = false;
    await clock.advance(2_000);
    assert.deepEqual(first, { value: undefined });
    isDown = true;
    await clock.advance(15_000);
    const second = watched(lease.fence.check());
    await clock.advance(62_000);
    assert.match(String(second.error), /the lease of shop was lost: it could not be renewed in time \(down\)/);
    await assert.rejects(lease.fence.check(), lost);
    await lease.release();
  });

  it("is lost too when the ledger never answers", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    let hangs = false;
    const stuck: Ledger = {
      ...ledger,
      swap: (...args) => (hangs ? new Promise(() => undefined) : ledger.swap(...args)),
    };
    const lease = await acquire(stuck, clock, foreign("ana"));
    hangs = true;
    await clock.advance(12_500);
    await lease.fence.check();
    await clock.advance(1_000);
    const write = watched(lease.fence.check());
    await clock.advance(70_000);
    assert.match(String(write.error), /could not be renewed in time \(the ledger does not answer\)/);
    assert.ok(lease.lost.aborted);
    await lease.release();
  });

  it("is not waited for by a command that is interrupted", async () => {
    const [ledger, clock, interrupted] = [memoryLedger(), new FakeClock(), new AbortController()];
    let hangs = false;
    const stuck: Ledger = {
      ...ledger,
      swap: (...args) => (hangs ? new Promise(() => undefined) : ledger.swap(...args)),
    };
    const context = testContext({ signal: interrupted.signal });
    const lease = await acquire(stuck, clock, foreign("ana"), { context });
    hangs = true;
    await clock.advance(20_000);
    const write = watched(lease.fence.check());
    interrupted.abort();
    await clock.advance(5_000);
    assert.match(String(write.error), /could not be renewed in time/);
    await lease.release();
  });

  it("survives a renewal that is never answered, and one that takes effect late", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    let next: (swap: () => Promise<string>) => Promise<string> = (swap) => swap();
    const slow: Ledger = { ...ledger, swap: (...args) => next(() => ledger.swap(...args)) };
    const lease = await acquire(slow, clock, foreign("ana"));
    next = () => {
      next = (swap) => swap();
      return new Promise(() => undefined);
    };
    await clock.advance(60_000);
    await lease.fence.check();
    // It is written before its answer is given up, or after.
    next = async (swap) => {
      const version = await swap();
      await clock.sleep(6_000);
      return version;
    };
    await clock.advance(60_000);
    await lease.fence.check();
    next = async (swap) => {
      await clock.sleep(5_000);
      return swap();
    };
    await clock.advance(60_000);
    await lease.fence.check();
    next = (swap) => swap();
    // The one that is under way is let end.
    const released = lease.release();
    await clock.advance(5_000);
    await released;
    assert.equal(await leaseHolder(ledger, { stack: "shop" }, testContext()), undefined);
  });

  it("is kept when only the answer to a renewal was lost, and is still given back", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    let losesAnswers = false;
    const forgetful: Ledger = {
      ...ledger,
      swap: async (...args) => {
        const version = await ledger.swap(...args);
        if (losesAnswers) throw new CtrlPlaneError("TIMEOUT", "no answer");
        return version;
      },
    };
    const lease = await acquire(forgetful, clock, foreign("ana"));
    losesAnswers = true;
    await clock.advance(4_000);
    losesAnswers = false;
    await clock.advance(60_000);
    await lease.fence.check();
    losesAnswers = true;
    await clock.advance(4_000);
    losesAnswers = false;
    await lease.release();
    assert.equal(await leaseHolder(ledger, { stack: "shop" }, testContext()), undefined);
  });

  it("warns, and does not fail, when it cannot be given back", async () => {
    const [ledger, clock] = [memoryLedger(), new FakeClock()];
    const warnings: string[] = [];
    const log = { debug: () => undefined, warn: (message: string) => warnings.push(message) };
    let isDown = false;
    const shaky: Ledger = {
      ...ledger,
      swap: (...args) => (isDown ? Promise.reject(new CtrlPlaneError("UNAVAILABLE", "down")) : ledger.swap(...args)),
    };
    const lease = await acquire(shaky, clock, foreign("ana"), { context: testContext({ log }) });
    isDown = true;
    await lease.release();
    assert.deepEqual(warnings, ["the lease could not be given back; it runs out by itself"]);
  });
});

describe("a lease between processes of one machine", () => {
  it("of a killed holder is replaced at once; of a living one it is not", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "pctl-lease-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const holder = startScript(t, import.meta.resolve("./testing/hold-lease.ts"), [folder]);
    await holder.printed("held by");
    const mine = {
      ledger: fileLedger(folder),
      stack: "shop",
      holder: currentHolder({ command: "deploy" }),
      clock: systemClock,
      context: testContext(),
      waitMs: 0,
    };
    await assert.rejects(acquireLease(mine), { ...lost, message: new RegExp(`ana on .*pid ${holder.child.pid}`) });
    assert.equal((await leaseHolder(mine.ledger, mine, testContext()))?.holder.pid, holder.child.pid);
    holder.child.kill("SIGKILL");
    await holder.ended;
    assert.equal(await leaseHolder(mine.ledger, mine, testContext()), undefined);
    const lease = await acquireLease(mine);
    assert.equal((await leaseHolder(mine.ledger, mine, testContext()))?.holder.pid, process.pid);
    await lease.release();
  });

  it("is replaced at once when its pid was given to another process", async () => {
    const ledger = memoryLedger();
    const clock = new FakeClock();
    const before = { ...currentHolder({ command: "deploy" }), startTime: "1" };
    await acquire(ledger, clock, before);
    const lease = await acquire(ledger, clock, currentHolder({ command: "deploy" }), { waitMs: 0 });
    assert.equal(lease.lost.aborted, false);
    await lease.release();
  });

  it("goes to exactly one of many who take it at once", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "pctl-lease-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const attempts = Array.from({ length: 10 }, () =>
      acquireLease({
        ledger: fileLedger(folder),
        stack: "shop",
        holder: currentHolder({ command: "deploy" }),
        clock: systemClock,
        context: testContext(),
        waitMs: 0,
      }),
    );
    const settled = await Promise.allSettled(attempts);
    const held = settled.filter((each) => each.status === "fulfilled").map(({ value }) => value);
    assert.equal(held.length, 1);
    for (const lease of held) await lease.release();
  });
});
