import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { countingLedger } from "./counting-ledger.ts";
import { memoryLedger } from "./memory-ledger.ts";
import { recordNames } from "./record-names.ts";
import { writeRecord } from "./record-text.ts";
import { createSealer } from "./sealing.ts";
import { StackLedger } from "./stack-ledger.ts";
import { testContext, testSealer } from "./testing/context.ts";
import { sampleChange, sampleIntent, sampleRelease, sampleResult } from "./testing/samples.ts";

const context = testContext();

function shop(ledger: Ledger = memoryLedger()): StackLedger {
  return new StackLedger(ledger, { stack: "shop" }, testSealer);
}

function underEpoch(epoch: number): ProviderContext {
  return testContext({ fence: { stack: "shop", epoch, check: () => Promise.resolve() } });
}

const leaseIsLost = testContext({
  fence: {
    stack: "shop",
    epoch: 1,
    check: () => {
      throw new CtrlPlaneError("CONFLICT", "the lease was lost", { target: "lease" });
    },
  },
});

describe("StackLedger: lineage", () => {
  it("is claimed once; who comes second gets the first one's", async () => {
    const ledger = memoryLedger();
    assert.equal(await shop(ledger).lineage(context), undefined);
    const claimed = await Promise.all(
      ["lin_a", "lin_b", "lin_c"].map((each) => shop(ledger).claimLineage(each, context)),
    );
    assert.equal(new Set(claimed).size, 1);
    assert.equal(await shop(ledger).lineage(context), claimed[0]);
  });

  it("is one for each stack and tenant", async () => {
    const ledger = memoryLedger();
    await shop(ledger).claimLineage("lin_shop", context);
    for (const scope of [
      { stack: "shop2" },
      { stack: "shop", tenant: "acme" },
      { stack: "acme/shop" },
      { stack: "Größe" },
    ]) {
      const other = new StackLedger(ledger, scope, testSealer);
      assert.equal(await other.lineage(context), undefined);
      await other.claimLineage(JSON.stringify(scope), context);
      assert.equal(await other.lineage(context), JSON.stringify(scope));
    }
  });
});

describe("StackLedger: changes", () => {
  it("begin, and end in a second record with what they printed", async () => {
    const ledger = shop();
    assert.equal(await ledger.nextChange(context), 1);
    await ledger.beginChange(sampleChange(1), context);
    assert.equal(await ledger.nextChange(context), 2);
    assert.deepEqual(await ledger.change(1, context), sampleChange(1));
    const finishedAt = "2026-01-01T00:00:02.000Z";
    await ledger.finishChange(1, sampleResult, finishedAt, ['{"seq":1}', '{"seq":2}'], context);
    const finished = { ...sampleChange(1), result: sampleResult, finishedAt };
    assert.deepEqual(await ledger.change(1, context), { ...finished, output: ['{"seq":1}', '{"seq":2}'] });
    assert.deepEqual(await ledger.changes(context), [finished]);
    assert.equal(await ledger.change(2, context), undefined);
  });

  it("have each their own number", async () => {
    const ledger = shop();
    await ledger.beginChange(sampleChange(1), context);
    await assert.rejects(ledger.beginChange({ ...sampleChange(1), by: "ben" }, context), { code: "CONFLICT" });
  });

  it("may be finished twice with the same result, and not with another", async () => {
    const ledger = shop();
    await ledger.beginChange(sampleChange(1), context);
    const finish = (exitCode: number) =>
      ledger.finishChange(1, { ...sampleResult, exitCode }, "2026-01-01T00:00:02.000Z", [], context);
    await finish(0);
    await finish(0);
    await assert.rejects(finish(3), { code: "CONFLICT" });
  });

  it("are listed newest first, with two reads for each that is shown, and no list", async () => {
    const counted = countingLedger(memoryLedger());
    const ledger = shop(counted);
    for (let number = 1; number <= 12; number += 1) await ledger.beginChange(sampleChange(number), context);
    for (const number of [3, 11])
      await ledger.finishChange(number, sampleResult, "2026-01-01T00:00:02.000Z", [], context);
    const before = { ...counted.calls };
    const listed = await ledger.changes(context, { limit: 3 });
    assert.deepEqual(
      listed.map(({ number, result }) => [number, result?.outcome]),
      [
        [12, undefined],
        [11, "succeeded"],
        [10, undefined],
      ],
    );
    assert.deepEqual([counted.calls.list - before.list, counted.calls.read - before.read], [0, 1 + 3 + 2]);
    assert.equal((await ledger.changes(context)).length, 12);
  });

  it("tell the last one by one read, however long its message is, also where an older pctl wrote only its number", async () => {
    const counted = countingLedger(memoryLedger());
    const ledger = shop(counted);
    assert.equal(await ledger.lastChange(context), undefined);
    await ledger.beginChange({ ...sampleChange(1), message: "long ".repeat(100_000) }, context);
    const before = { ...counted.calls };
    assert.deepEqual(await ledger.lastChange(context), sampleChange(1));
    assert.deepEqual(counted.calls, { ...before, read: before.read + 1 });
    await ledger.beginChange(sampleChange(2), context);
    assert.deepEqual(await ledger.lastChange(context), sampleChange(2));

    const name = recordNames({ stack: "shop" }).lastChange;
    const record = await counted.read(name, context);
    assert.ok(record !== undefined);
    await counted.swap(name, writeRecord("last change", { number: 3 }), record.version, context);
    assert.deepEqual(await ledger.lastChange(context), sampleChange(2));
  });

  it("keep output that is larger than a record may be", async () => {
    const ledger = shop();
    await ledger.beginChange(sampleChange(1), context);
    const output = Array.from({ length: 20 }, () => randomBytes(20_000).toString("base64"));
    await ledger.finishChange(1, sampleResult, "2026-01-01T00:00:02.000Z", output, context);
    assert.deepEqual((await ledger.change(1, context))?.output, output);
    assert.equal(await ledger.nextChange(context), 2);
  });

  it("are kept a thousand; older ones go with all their records, and their numbers do not come back", async () => {
    const records = memoryLedger();
    const ledger = shop(records);
    // Two parts each.
    const output = (number: number): string[] => [`${number}`.repeat(100), randomBytes(300_000).toString("base64")];
    const outputs = new Map([1, 2, 1001].map((number) => [number, output(number)]));
    for (const [number, printed] of outputs) {
      await ledger.beginChange(sampleChange(number), context);
      await ledger.finishDeployment(
        { id: `dep_${number}`, change: number, service: "web", outcome: "succeeded", startedAt: "", finishedAt: "" },
        context,
      );
      await ledger.finishChange(number, sampleResult, "2026-01-01T00:00:02.000Z", printed, context);
    }
    assert.equal(await ledger.change(1, context), undefined);
    assert.deepEqual(await ledger.deployments(1, context), []);
    const listed = await ledger.changes(context);
    assert.deepEqual(
      listed.map((each) => each.number),
      [1001, 2],
    );
    assert.deepEqual((await ledger.change(2, context))?.output, outputs.get(2));
    assert.equal(await ledger.nextChange(context), 1002);
    const names = await records.list("", context);
    assert.deepEqual(
      names.filter((name) => name.includes("00000001/")),
      [],
    );
  });

  it("have a record for each deployment that ended", async () => {
    const ledger = shop();
    const record = {
      change: 7,
      service: "web",
      from: 1,
      to: 2,
      outcome: "reverted" as const,
      verdict: "EXITED" as const,
      startedAt: "2026-01-01T00:00:00.000Z",
      finishedAt: "2026-01-01T00:00:02.000Z",
    };
    for (const id of ["dep_b", "dep_a", "dep_a"]) await ledger.finishDeployment({ ...record, id }, context);
    await ledger.finishDeployment({ ...record, change: 70, id: "dep_c" }, context);
    assert.deepEqual(await ledger.deployments(7, context), [
      { ...record, id: "dep_a" },
      { ...record, id: "dep_b" },
    ]);
    assert.equal(await ledger.nextChange(context), 1, "deployments are no changes");
  });
});

describe("StackLedger: releases", () => {
  it("are sealed, immutable and numbered for each service", async () => {
    const records = memoryLedger();
    const ledger = shop(records);
    const release = sampleRelease({ spec: { env: { PASSWORD: "s3cr3t-value" } } });
    await ledger.writeRelease(release, context);
    await ledger.writeRelease(release, context);
    await assert.rejects(ledger.writeRelease({ ...release, id: "rel_other" }, context), { code: "CONFLICT" });
    await ledger.writeRelease(sampleRelease({ number: 12 }), context);
    assert.deepEqual(await ledger.release("web", 1, context), release);
    assert.equal(await ledger.release("web", 2, context), undefined);
    assert.deepEqual(await ledger.releases("web", context), [1, 12]);
    assert.deepEqual(await ledger.releases("we", context), []);
    for (const name of await records.list("", context)) {
      assert.ok(!(await records.read(name, context))?.value.includes("s3cr3t-value"), name);
    }
  });

  it("are never given out for deploying without the key, and still shown", async () => {
    const records = memoryLedger();
    await shop(records).writeRelease(sampleRelease(), context);
    const keyless = new StackLedger(records, { stack: "shop" }, createSealer(randomBytes(32)));
    await assert.rejects(keyless.release("web", 1, context), { code: "FORBIDDEN", hint: /PCTL_KEY/ });
    const shown = await keyless.openRelease("web", 1, context);
    assert.deepEqual([shown?.opened, shown?.release.spec.env], [false, { PORT: "••••••" }]);
  });

  it("are pruned to those that are kept, parts included", async () => {
    const records = memoryLedger();
    const ledger = shop(records);
    const contentBase64 = randomBytes(400_000).toString("base64");
    const files = [{ path: "/a", source: "/srv/a", digest: "d", contentBase64 }];
    for (const number of [1, 2, 3]) await ledger.writeRelease(sampleRelease({ number, spec: { files } }), context);
    assert.equal((await ledger.release("web", 2, context))?.spec.files[0]?.contentBase64, contentBase64);
    const parts = async () => (await records.list("stacks/shop/parts/", context)).length;
    const all = await parts();
    assert.ok(all >= 9);
    await ledger.pruneReleases("web", [3, 99], context);
    assert.deepEqual(await ledger.releases("web", context), [3]);
    assert.equal(await parts(), all / 3);
    assert.equal((await ledger.release("web", 3, context))?.spec.files[0]?.contentBase64, contentBase64);
  });

  it("of a thousand services are one call, whatever their names", async () => {
    const counted = countingLedger(memoryLedger());
    const ledger = shop(counted);
    const services = [...Array.from({ length: 20 }, (_, index) => `s${index}`), "x".repeat(90), "dienst/größe"];
    for (const service of services) await ledger.writeRelease(sampleRelease({ spec: { service } }), context);
    await ledger.writeRelease(sampleRelease({ number: 2, spec: { service: "s7" } }), context);
    const before = counted.calls.list;
    const numbers = await ledger.allReleases(context);
    assert.equal(counted.calls.list - before, 1);
    assert.equal(counted.calls.read, 0);
    for (const service of services) assert.deepEqual(numbers.of(service), service === "s7" ? [1, 2] : [1], service);
    assert.deepEqual(numbers.of("unknown"), []);
  });
});

describe("StackLedger: intents", () => {
  it("are written, decided on, and cleared", async () => {
    const ledger = shop();
    await ledger.writeIntent(sampleIntent(), context);
    await ledger.decide("web", { kind: "step", step: 0, weight: 5 }, context);
    await ledger.decide("web", { kind: "revert" }, context);
    const expected = sampleIntent({ decisions: [{ kind: "step", step: 0, weight: 5 }, { kind: "revert" }] });
    assert.deepEqual(await ledger.intent("web", context), expected);
    await ledger.writeIntent(sampleIntent({ service: "db" }), context);
    assert.deepEqual(
      (await ledger.intents(context)).map(({ service }) => service),
      ["db", "web"],
    );
    await ledger.clearIntent("web", "dep_1", context);
    await ledger.clearIntent("web", "dep_1", context);
    assert.equal(await ledger.intent("web", context), undefined);
  });

  it("cost one call for a decision", async () => {
    const counted = countingLedger(memoryLedger());
    const ledger = shop(counted);
    await ledger.writeIntent(sampleIntent(), context);
    const before = { ...counted.calls };
    await ledger.decide("web", { kind: "promote" }, context);
    assert.deepEqual({ ...counted.calls }, { ...before, swap: before.swap + 1 });
  });

  it("that a later holder took over cannot be decided, rewritten or cleared by the earlier one", async () => {
    const records = memoryLedger();
    const [early, late] = [shop(records), shop(records)];
    await early.writeIntent(sampleIntent({ epoch: 1 }), underEpoch(1));
    const found = await late.intent("web", underEpoch(2));
    assert.ok(found !== undefined);
    await late.writeIntent({ ...found, epoch: 2 }, underEpoch(2));
    await assert.rejects(early.decide("web", { kind: "promote" }, underEpoch(1)), {
      code: "CONFLICT",
      target: "lease",
    });
    await assert.rejects(early.writeIntent(sampleIntent({ epoch: 1 }), underEpoch(1)), {
      code: "CONFLICT",
      target: "lease",
    });
    await assert.rejects(early.clearIntent("web", "dep_1", underEpoch(1)), { code: "CONFLICT", target: "lease" });
    await late.decide("web", { kind: "abort" }, underEpoch(2));
    assert.deepEqual(await late.intent("web", context), sampleIntent({ epoch: 2, decisions: [{ kind: "abort" }] }));
  });

  it("that were finished and begun anew by another are not decided on by the first", async () => {
    const records = memoryLedger();
    const [early, late] = [shop(records), shop(records)];
    await early.writeIntent(sampleIntent(), context);
    await late.clearIntent("web", "dep_1", context);
    await assert.rejects(early.decide("web", { kind: "promote" }, context), { code: "CONFLICT" });
    await late.writeIntent(sampleIntent({ deployment: "dep_2", change: 2 }), context);
    await assert.rejects(early.decide("web", { kind: "promote" }, context), {
      code: "CONFLICT",
      message: /taken over by change #2/,
    });
    await early.clearIntent("web", "dep_1", context);
    assert.equal((await late.intent("web", context))?.deployment, "dep_2");
  });

  it("hold a decision once, although the answer to it was lost", async () => {
    const records = memoryLedger();
    let losesAnswer = false;
    const forgetful: Ledger = {
      ...records,
      swap: async (...args) => {
        const version = await records.swap(...args);
        if (!losesAnswer) return version;
        losesAnswer = false;
        throw new CtrlPlaneError("CONFLICT", "made already, says the second attempt of the transport");
      },
    };
    const ledger = shop(forgetful);
    await ledger.writeIntent(sampleIntent(), context);
    losesAnswer = true;
    await ledger.decide("web", { kind: "promote" }, context);
    await ledger.decide("web", { kind: "abort" }, context);
    assert.deepEqual((await ledger.intent("web", context))?.decisions, [{ kind: "promote" }, { kind: "abort" }]);
  });
});

describe("StackLedger: what goes wrong", () => {
  it("writes nothing once the lease is lost, and says so", async () => {
    const records = countingLedger(memoryLedger());
    const ledger = shop(records);
    await ledger.beginChange(sampleChange(1), context);
    await ledger.writeRelease(sampleRelease(), context);
    await ledger.writeIntent(sampleIntent(), context);
    const names = await records.list("", context);
    const deployment = {
      id: "dep_1",
      change: 1,
      service: "web",
      outcome: "failed" as const,
      startedAt: "",
      finishedAt: "",
    };
    const writes = [
      () => shop(records).claimLineage("lin_a", leaseIsLost),
      () => ledger.beginChange(sampleChange(2), leaseIsLost),
      () => ledger.finishChange(1, sampleResult, "", [], leaseIsLost),
      () => ledger.finishDeployment(deployment, leaseIsLost),
      () => ledger.writeRelease(sampleRelease({ number: 2 }), leaseIsLost),
      () => ledger.pruneReleases("web", [], leaseIsLost),
      () => ledger.decide("web", { kind: "promote" }, leaseIsLost),
      () => ledger.writeIntent(sampleIntent(), leaseIsLost),
      () => ledger.clearIntent("web", "dep_1", leaseIsLost),
    ];
    for (const write of writes) await assert.rejects(write(), { code: "CONFLICT", target: "lease" }, String(write));
    assert.deepEqual(await records.list("", context), names);
  });

  it("names a damaged record, and one of a later version", async () => {
    const records = memoryLedger();
    const ledger = shop(records);
    const texts = {
      '{"v":1,"kind":"lineage"': "INVALID",
      '{"v":1,"kind":"lineage"}': "INVALID",
      "z1:AAAA": "INVALID",
      '{"v":2}': "UNSUPPORTED",
      "[]": "INVALID",
    };
    for (const [text, code] of Object.entries(texts)) {
      await records.remove("stacks/shop/lineage", undefined, context);
      await records.create("stacks/shop/lineage", text, context);
      await assert.rejects(ledger.lineage(context), { code, target: "stacks/shop/lineage" }, text);
    }
  });

  it("names a record of which a part is missing", async () => {
    const records = memoryLedger();
    const ledger = shop(records);
    const files = [
      { path: "/a", source: "/srv/a", digest: "d", contentBase64: randomBytes(400_000).toString("base64") },
    ];
    await ledger.writeRelease(sampleRelease({ spec: { files } }), context);
    const [part = ""] = await records.list("stacks/shop/parts/", context);
    await records.remove(part, undefined, context);
    await assert.rejects(ledger.release("web", 1, context), { code: "INVALID", message: /a part of it is missing/ });
  });
});
