import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { isSoak } from "../e2e/soak.ts";
import { failuresOf, startClients, type Clients, type ClientsReport } from "./clients.ts";
import type { LoadPlatform, LoadStrategy, LoadSubject } from "./load-subject.ts";
import { startTcpClients } from "./tcp-clients.ts";

type Step = LoadStrategy | "rollback" | "scale";

/** What is tried under load, round by round: the full counts are 50 rolling deploys, 10 each of the others, 20 rollbacks, 10 scalings. In the plain run a part of it. `RATE=n`: another rate, for a machine that others use too. */
const counts = isSoak
  ? {
      rounds: 10,
      steps: asSteps("rolling rolling rollback rolling scale rolling rolling blue_green canary rollback"),
      scales: [1, 5, 1],
      ratePerSecond: rateOr(500),
      startMs: 1000,
      endMs: 2000,
      tcpDeploys: 20,
    }
  : {
      rounds: 1,
      steps: asSteps("rolling rollback scale blue_green rolling"),
      scales: [4, 1],
      ratePerSecond: rateOr(200),
      startMs: 500,
      endMs: 500,
      tcpDeploys: 2,
    };
const deploys = counts.rounds * counts.steps.filter(isDeploy).length;

/** Longer than the 5 s for which replaced replicas stay, unrouted, beside the new ones: what is in flight then is cut without a drain. */
const withoutDrain = { ...counts, speaks: "http", longMs: 20_000, drainSeconds: 0 } as const;
const drained = { ...counts, speaks: "http", longMs: 5000, drainSeconds: 20 } as const;
/** Those that stay are ended by each deploy. */
const tcp = { ...counts, speaks: "tcp", drainSeconds: 2, staying: 5 } as const;

/** Deploys, rollbacks and scalings while clients of all kinds are at work: no request may fail. And a control that must. */
export function testLoad(platform: LoadPlatform): void {
  describe(`${platform.name} under load`, { concurrency: true }, () => {
    test(`${tried()} lose no request`, async (t) => {
      await using subject = await platform.start("v0", drained);
      const { report, expected } = await work(subject, drained.longMs, (clients) => everything(subject, clients));
      tell(t, report);
      assert.deepEqual(failuresOf(report), {});
      assert.deepEqual(report.versions, expected.toSorted(), "versions that answered");
      assert.ok(report.short.sent > deploys * counts.ratePerSecond, "too few requests to mean anything");
      for (const long of [report.slowBodies, report.streams, report.conversations])
        assert.ok(long.begun > deploys * 2, "too few long exchanges to mean anything");
      assert.ok(report.endedAtDrain > 0, "no connection met the end of a drain");
    });

    test(`${counts.tcpDeploys} deploys of a TCP service refuse nobody`, async (t) => {
      await using subject = await platform.start("v0", tcp);
      const port = Number(new URL(subject.url).port);
      const clients = startTcpClients({ port, ratePerSecond: counts.ratePerSecond / 4, staying: tcp.staying });
      const { short, endedAtDrain, refused, versions } = await endAfter(clients, () => tcpDeploys(subject));
      t.diagnostic(
        `${short.sent} TCP conversations: ${short.failed} refused or cut, p99 ${short.p99Ms} ms, most ${short.maxMs} ms, client late by ${short.worstLagMs} ms; ${endedAtDrain} connections ended at drain`,
      );
      assert.deepEqual(short.failures, {});
      assert.deepEqual(refused, []);
      assert.equal(versions.length, counts.tcpDeploys + 1, `versions that answered: ${versions.join(", ")}`);
      assert.ok(short.sent > counts.tcpDeploys * 20, "too few conversations to mean anything");
      assert.ok(endedAtDrain >= counts.tcpDeploys, "connections that stayed met no end of a drain");
    });

    test("control: without draining a deploy loses requests", async (t) => {
      await using subject = await platform.start("v0", withoutDrain);
      const { report, expected } = await work(subject, withoutDrain.longMs, async () => {
        await subject.deploy("v1", "rolling");
        return ["v1"];
      });
      tell(t, report);
      assert.ok(report.slowBodies.failures.length > 0, "no slow body was cut");
      assert.ok(report.streams.failures.length > 0, "no stream was cut");
      assert.deepEqual(report.versions, expected);
    });
  });
}

async function tcpDeploys(subject: LoadSubject): Promise<void> {
  for (let index = 1; index <= counts.tcpDeploys; index += 1) await subject.deploy(`v${index}`, "rolling");
}

async function endAfter<T>(clients: { end(): Promise<T> }, act: () => Promise<void>): Promise<T> {
  let failed = true;
  try {
    await act();
    failed = false;
  } finally {
    if (failed) await clients.end();
  }
  return clients.end();
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

/** Clients that never leave by themselves meet the second half of the rounds, where there is one round its last step. */
async function everything(subject: LoadSubject, clients: Clients): Promise<string[]> {
  const versions = ["v0"];
  let current = "v0";
  const all = Array.from({ length: counts.rounds }, () => counts.steps).flat();
  const staysFrom = counts.rounds === 1 ? all.length - 1 : all.length / 2;
  for (const [index, step] of all.entries()) {
    if (index === staysFrom) await clients.stay();
    if (step === "scale") {
      for (const replicas of counts.scales) await subject.scale(replicas);
    } else if (step === "rollback") {
      await subject.rollback();
      current = versions.at(-2) ?? current;
    } else {
      current = `v${versions.length}`;
      versions.push(current);
      await subject.deploy(current, step);
    }
    await answersOnly(subject, current);
  }
  return versions.slice(1);
}

function isDeploy(step: Step): step is LoadStrategy {
  return step !== "rollback" && step !== "scale";
}

function rateOr(usual: number): number {
  return Number(process.env["RATE"] ?? usual);
}

function asSteps(words: string): Step[] {
  return words.split(" ") as Step[]; // of the two lists above
}

/** e.g. `10 canary`, for each kind of step. */
function tried(): string {
  const kinds = Map.groupBy(counts.steps, (step) => step);
  return [...kinds].map(([kind, { length }]) => `${counts.rounds * length} ${kind}`).join(", ");
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
