import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { behaviours, conformance, Refused, startRun, tableOf } from "@ctrlplane/conformance";
import type { BehaviourReport, Deviations, Harness, Report } from "@ctrlplane/conformance";
import type { Capability } from "@ctrlplane/core/provider";
import { harnessOf, type Liar } from "./liar.ts";

const infoType = "identity.info-names-its-type";
const sayOther: Pick<Liar, "lie"> = {
  lie: (honest) => ({ info: async (context) => ({ ...(await honest.info(context)), type: "other" }) }),
};
const declared: Deviations = { [infoType]: { reason: "It has two names.", instead: "`info` says the other one." } };

async function reportOf(
  harness: Harness,
  { only, deviations = {} }: { readonly only: readonly string[]; readonly deviations?: Deviations },
): Promise<Report> {
  return startRun({ harness, only, deviations }).report;
}

const outcomes = ({ behaviours: all }: { readonly behaviours: readonly BehaviourReport[] }): readonly string[] => [
  ...new Set(all.map((each) => each.outcome)),
];

test("each behaviour has an id of its own, in its group, and says in one sentence what it promises", () => {
  assert.ok(behaviours.length >= 100);
  assert.equal(new Set(behaviours.map((each) => each.id)).size, behaviours.length);
  for (const { id, group, intent } of behaviours) {
    assert.match(id, /^[a-z_]+\.[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.equal(id.split(".")[0], group);
    assert.match(intent, /^[A-Z`].*\.$/, id);
    assert.doesNotMatch(intent, /[.!?] [A-Z]/, id);
  }
});

test("what fails makes a run fail, with what was seen instead", async () => {
  const report = await reportOf(await harnessOf(sayOther), { only: [infoType] });
  assert.equal(report.isConforming, false);
  assert.equal(report.counts.fails, 1);
  assert.match(report.behaviours[0]?.problem ?? "", /'other'/);
  assert.match(tableOf(report), new RegExp(`^✗ ${infoType} +fails`));
});

test("a declared deviation that fails deviates, and the provider conforms", async () => {
  const report = await reportOf(await harnessOf(sayOther), { only: [infoType], deviations: declared });
  assert.equal(report.isConforming, true);
  assert.deepEqual(outcomes(report), ["deviates"]);
  assert.deepEqual(report.behaviours[0]?.deviation, declared[infoType]);
});

test("a declared deviation that holds is stale, and the provider does not conform", async () => {
  const report = await reportOf(await harnessOf({}), { only: [infoType], deviations: declared });
  assert.equal(report.isConforming, false);
  assert.deepEqual(outcomes(report), ["stale"]);
  assert.match(tableOf(report), /remove the declaration/);
});

test("words that choose nothing, and deviations of nothing, are refused before anything runs", async () => {
  const harness = await harnessOf({});
  try {
    assert.throws(() => startRun({ harness, only: ["scail"] }), /scail/);
    const deviations = { "scale.nothing": { reason: "", instead: "" } };
    assert.throws(() => startRun({ harness, deviations }), /scale\.nothing/);
    const runner = { describe: () => assert.fail("it begins"), test: () => assert.fail("it begins") };
    assert.throws(() => conformance({ harness, name: "reference", runner, deviations }), /scale\.nothing/);
  } finally {
    await harness.close();
  }
});

test("what needs a capability that is not declared says nothing of the provider", async () => {
  const isOther = (each: Capability): boolean => each !== "scale";
  const lie: Liar["lie"] = (honest) => ({ capabilities: () => honest.capabilities().filter(isOther) });
  const report = await reportOf(await harnessOf({ lie }), { only: ["scale", "fencing.an-old-holder-scales-nothing"] });
  assert.deepEqual(outcomes(report), ["undeclared"]);
  assert.equal(report.isConforming, true);
});

test("what the platform has nothing of is refused, with the words of the harness or of `check`", async () => {
  const honest = await harnessOf({});
  const kill = (): Promise<void> => Promise.reject(new Refused("there is no process to kill"));
  const seen = await reportOf({ ...honest, kill }, { only: ["lifecycle.a-dead-replica-is-told"] });
  assert.deepEqual(outcomes(seen), ["refused"]);
  assert.equal(seen.behaviours[0]?.problem, "there is no process to kill");
  assert.equal(seen.isConforming, true);

  const summary = "there are no jobs";
  const lie: Liar["lie"] = () => ({
    check: ({ kind }) => (kind === "job" ? [{ severity: "error", code: "no-jobs", field: "kind", summary }] : []),
  });
  const checked = await reportOf(await harnessOf({ lie }), { only: ["jobs"] });
  assert.deepEqual(outcomes(checked), ["refused"]);
  assert.equal(checked.behaviours[0]?.problem, "kind: there are no jobs");
});

test("a harness that does not close is told", async () => {
  const honest = await harnessOf({});
  const close = async (): Promise<void> => {
    await honest.close();
    throw new Error("something is left");
  };
  await assert.rejects(reportOf({ ...honest, close }, { only: [infoType] }), /something is left/);
});

const bin = fileURLToPath(new URL("../../packages/conformance/bin/ctrlplane-conformance.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command, with a module of this text as its harness. */
async function command(t: TestContext, text: string, ...words: readonly string[]): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-command-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "conformance.mjs");
  await writeFile(file, text);
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, file, ...words], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

const honestModule = `export { harness } from ${JSON.stringify(import.meta.resolve("@ctrlplane/provider-reference/conformance"))};`;
const staleModule = `${honestModule} export const deviations = ${JSON.stringify(declared)};`;

test("the command ends with 0 for what conforms, and prints a table", async (t) => {
  const { code, stdout, stderr } = await command(
    t,
    honestModule,
    "--only",
    "identity",
    "--only",
    "list.writes-nothing",
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^✓ ${infoType} +holds +\\d+ ms$`, "m"));
  assert.match(stdout, /^✓ list\.writes-nothing +holds/m);
  assert.match(stdout, /^reference \(.*\), 11 behaviours: 11 holds\n$/m);
});

test("the command ends with 1 for what does not conform, and prints the report as JSON", async (t) => {
  const { code, stdout, stderr } = await command(t, staleModule, "--only", infoType, "--json", "-");
  assert.equal(code, 1, stderr);
  // The command's own words.
  const report = JSON.parse(stdout) as Report;
  assert.deepEqual([report.v, report.provider, report.isConforming], [1, "reference", false]);
  assert.deepEqual(outcomes(report), ["stale"]);
});

test("the command ends with 2 for words or a harness that it cannot understand", async (t) => {
  const unknown = await command(t, honestModule, "--only", "scail");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /scail/);
  assert.match((await command(t, "export const harnes = 1;")).stderr, /exports no function `harness`/);
  const none = await command(t, honestModule, "another.mjs");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^usage: ctrlplane-conformance HARNESS/m);
});
