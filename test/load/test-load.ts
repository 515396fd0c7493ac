import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { isSoak } from "../e2e/soak.ts";
import { failuresOf, startClients, type Clients, type ClientsReport } from "./clients.ts";
import type { LoadPlatform, LoadSubject } from "./load-subject.ts";

/** What is tried under load; in the plain run a part of it. */
const counts = isSoak
  ? { ratePerSecond: 500, deploys: 20, rollbacks: 5, scalings: 10, scales: [1, 4, 1], startMs: 1000, endMs: 2000 }
  : { ratePerSecond: 200, deploys: 2, rollbacks: 1, scalings: 1, scales: [4, 1], startMs: 500, endMs: 500 };

/** Longer than the 5 s for which replaced replicas stay, unrouted, beside the new ones: what is in flight then is cut without a drain. */
const withoutDrain = { ...counts, longMs: 20_000, drainSeconds: 0 };
const drained = { ...counts, longMs: 5000, drainSeconds: 20 };

/** Deploys, rollbacks and scalings 1 → 4 → 1 while clients of all kinds are at work: no request may fail. And a control that must. */
export function testLoad(platform: LoadPlatform): void {
  describe(`${platform.name} under load`, { concurrency: true }, () => {
    test(`${counts.deploys} deploys, ${counts.rollbacks} rollbacks, ${counts.scalings} scalings lose no request`, async (t) => {
      await using subject = await platform.start("v0", drained);
      const { report, expected } = await work(subject, drained.longMs, (clients) => everything(subject, clients));
      tell(t, report);
      assert.deepEqual(failuresOf(report), {});
      assert.deepEqual(report.versions, expected.toSorted(), "versions that answered");
      assert.ok(report.short.sent > counts.deploys * counts.ratePerSecond, "too few requests to mean anything");
      for (const long of [report.slowBodies, report.streams, report.conversations])
        assert.ok(long.begun > counts.deploys * 2, "too few long exchanges to mean anything");
      assert.ok(report.endedAtDrain > 0, "no connection met the end of a drain");
    });

    test("control: without draining a deploy loses requests", async (t) => {
      await using subject = await platform.start("v0", withoutDrain);
      const { report, expected } = await work(subject, withoutDrain.longMs, async () => {
        await subject.deploy("v1");
        return ["v1"];
      });
      tell(t, report);
      assert.ok(report.slowBodies.failures.length > 0, "no slow body was cut");
      assert.ok(report.streams.failures.length > 0, "no stream was cut");
      assert.deepEqual(report.versions, expected);
    });
  });
}

/** `act` while clients are at work; resolves with the versions that should have answered. */
async function work(
  subject: LoadSubject,
  longMs: number,
  act: (clients: Clients) => Promise<readonly string[]>,
): Promise<{ report: ClientsReport; expected: string[] }> {
  const { ratePerSecond } = counts;
  const clients = startClients({ url: subject.url, ratePerSecond, longMs });
  let versions: readonly string[] = [];
  let report: ClientsReport;
  try {
    versions = await act(clients);
  } finally {
    report = await clients.end();
  }
  return { report, expected: ["v0", ...versions] };
}

/** Spread evenly over the deploys. The last of them, in the soak all, meet clients that never leave by themselves. */
async function everything(subject: LoadSubject, clients: Clients): Promise<string[]> {
  const { deploys, rollbacks, scalings, scales } = counts;
  const versions: string[] = [];
  let current = "v0";
  const isDue = (index: number, total: number): boolean =>
    Math.ceil((index * total) / deploys) > Math.ceil(((index - 1) * total) / deploys);
  if (isSoak) await clients.stay();
  for (let index = 1; index <= deploys; index += 1) {
    if (!isSoak && index === deploys) await clients.stay();
    const before = current;
    current = `v${index}`;
    await subject.deploy(current);
    versions.push(current);
    await answersOnly(subject, current);
    if (isDue(index, rollbacks)) {
      await subject.rollback();
      current = before;
      await answersOnly(subject, current);
    }
    if (isDue(index, scalings)) for (const replicas of scales) await subject.scale(replicas);
  }
  await answersOnly(subject, current);
  return versions;
}

/** What was replaced answers no more once a command has returned. */
async function answersOnly(subject: LoadSubject, version: string): Promise<void> {
  const ask = async (): Promise<string> => {
    const response = await fetch(subject.url, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(60_000),
    });
    return response.text();
  };
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  assert.deepEqual([...new Set(answers)], [version]);
}

function tell(t: TestContext, report: ClientsReport): void {
  const { short, slowBodies, streams, conversations, endedAtDrain } = report;
  const long = Object.entries({ "slow bodies": slowBodies, streams, WebSockets: conversations });
  t.diagnostic(
    [
      `${short.sent} requests in ${short.sendingMs} ms at ${counts.ratePerSecond}/s: ${short.failed} failed, p50 ${short.p50Ms} ms, p99 ${short.p99Ms} ms, most ${short.maxMs} ms, client late by ${short.worstLagMs} ms`,
      ...long.map(([name, { begun, failures }]) => `${begun} ${name}: ${failures.length} failed`),
      `${endedAtDrain} connections ended at drain`,
    ].join("; "),
  );
}
