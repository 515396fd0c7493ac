import assert from "node:assert/strict";
import { instanceLabels, label, newId, type DeployRequest, type ErrorCode } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import { ending, type Service } from "../service.ts";
import { serves } from "../spec.ts";

interface Attempt {
  readonly bench: Bench;
  /** Ours by name, and not by what it carries. */
  readonly mine: Service;
  readonly request: DeployRequest;
}

/** Somebody's service stands under our name; the call must refuse, and leave all of it as it is. */
async function refusesForeign(
  bench: Bench,
  prepare: (theirs: Service) => Promise<void>,
  attempt: (of: Attempt) => Promise<unknown>,
  codes: readonly ErrorCode[],
): Promise<void> {
  const theirs = await bench.service("web", { lineage: newId("lin") });
  const theirRelease = await theirs.up(serves("theirs"));
  const mine = await bench.service("web");
  const release = { ...mine.pin(theirRelease.spec, theirRelease.image), instance: mine.instance };
  await prepare(theirs);
  const ids = await theirs.ids();
  const before = await bench.writes();
  await rejects(attempt({ bench, mine, request: mine.request(release) }), ...codes);
  assert.deepEqual(await bench.writes(), before, "something was written");
  assert.deepEqual(await theirs.ids(), ids);
  await bench.harness.relabel(theirs.instance.name, instanceLabels(theirs.instance));
}

type Call = (of: Attempt) => Promise<unknown>;
const conflict: readonly ErrorCode[] = ["CONFLICT"];
/** What needs something that is ours may also say that there is nothing. */
const noneOfOurs: readonly ErrorCode[] = ["CONFLICT", "NOT_FOUND"];

const otherLineage =
  (attempt: Call, codes = conflict) =>
  (bench: Bench) =>
    refusesForeign(bench, () => Promise.resolve(), attempt, codes);
const withoutLabels =
  (attempt: Call, codes = conflict) =>
  (bench: Bench) =>
    refusesForeign(bench, (theirs) => bench.harness.relabel(theirs.instance.name, {}), attempt, codes);
const ofPctl11 = (attempt: Call) => (bench: Bench) =>
  refusesForeign(
    bench,
    async (theirs) => {
      const { [label.lineage]: _, ...old } = instanceLabels(theirs.instance);
      await bench.harness.relabel(theirs.instance.name, old);
    },
    attempt,
    conflict,
  );

const deploy = ({ bench, request }: Attempt) => bench.provider.deploy(request, bench.context());
const deprovision = ({ bench, mine }: Attempt) =>
  bench.provider.deprovision({ instance: mine.instance, volumes: true }, bench.context());
const stop = ({ bench, mine }: Attempt) => bench.provider.stop({ instance: mine.instance, ...ending }, bench.context());

export const foreignExec = group("ownership", ["provision", "deploy", "exec"], {
  "other-lineage-runs-no-command-of-ours": [
    "`exec` in an instance of another lineage is refused.",
    otherLineage(
      ({ bench, mine }) =>
        bench.provider.exec(
          { instance: mine.instance, command: bench.harness.commands.print("hello") },
          bench.context(),
        ),
      noneOfOurs,
    ),
  ],
});

export const ownership = group("ownership", ["provision", "deploy"], {
  "other-lineage-is-not-provisioned": [
    "`provision` over an instance of another lineage is a conflict, and writes nothing.",
    otherLineage(({ bench, mine, request }) =>
      bench.provider.provision({ instance: mine.instance, spec: request.release.spec }, bench.context()),
    ),
  ],
  "other-lineage-is-not-deployed": [
    "`deploy` over an instance of another lineage is a conflict, and writes nothing.",
    otherLineage(deploy),
  ],
  "other-lineage-is-not-rolled-back": [
    "`rollback` over an instance of another lineage is a conflict, and writes nothing.",
    otherLineage(({ bench, request }) => bench.provider.rollback(request, bench.context())),
  ],
  "other-lineage-is-not-started": [
    "`start` of an instance of another lineage is a conflict, and writes nothing.",
    otherLineage(({ bench, request }) => bench.provider.start(request, bench.context())),
  ],
  "other-lineage-is-not-stopped": [
    "`stop` of an instance of another lineage is refused, and writes nothing.",
    otherLineage(stop, noneOfOurs),
  ],
  "other-lineage-is-not-restarted": [
    "`restart` of an instance of another lineage is refused, and writes nothing.",
    otherLineage(({ bench, request }) => bench.provider.restart(request, bench.context()), noneOfOurs),
  ],
  "other-lineage-is-not-removed": [
    "`deprovision` of an instance of another lineage is a conflict, and writes nothing.",
    otherLineage(deprovision),
  ],
  "unlabelled-is-not-deployed": [
    "`deploy` over something without any label is a conflict, and writes nothing.",
    withoutLabels(deploy),
  ],
  "unlabelled-is-not-stopped": [
    "`stop` of something without any label is refused, and writes nothing.",
    withoutLabels(stop, noneOfOurs),
  ],
  "unlabelled-is-not-removed": [
    "`deprovision` of something without any label is a conflict, and writes nothing.",
    withoutLabels(deprovision),
  ],
  "pctl-1-1-is-not-deployed-unasked": [
    "`deploy` over what pctl 1.1 left, which has no lineage, is a conflict, and writes nothing.",
    ofPctl11(deploy),
  ],
  "pctl-1-1-is-not-removed-unasked": [
    "`deprovision` of what pctl 1.1 left, which has no lineage, is a conflict, and writes nothing.",
    ofPctl11(deprovision),
  ],
  "a-named-one-is-listed-whosever": [
    "`list` with names shows what stands under them, with its labels, whosever it is.",
    async (bench) => {
      const theirs = await bench.service("web", { stack: `${bench.stack}x`, lineage: newId("lin") });
      await theirs.up(serves("theirs"));
      const names = [theirs.instance.name];
      const { instances } = await bench.provider.list({ stack: bench.stack, names }, bench.context());
      assert.deepEqual(
        instances.map((each) => [each.name, each.labels[label.lineage]]),
        [[theirs.instance.name, theirs.instance.lineage]],
      );
    },
  ],
  "a-longer-name-is-another": [
    "Removing `a` leaves `a-1` and `a-b`, whose names begin alike.",
    async (bench) => {
      const [web, numbered, longer] = [
        await bench.service("web"),
        await bench.service("web-1"),
        await bench.service("web-api"),
      ];
      await Promise.all([web, numbered, longer].map((each) => each.up(serves("one"))));
      await web.deprovision();
      assert.equal(await numbered.versions(), "one");
      assert.equal(await longer.versions(), "one");
      assert.equal(await numbered.answers(), "one");
    },
  ],
  "another-stack-is-left": [
    "Removing a service leaves the one of that name in another stack.",
    async (bench) => {
      const mine = await bench.service();
      const theirs = await bench.service("web", { stack: `${bench.stack}x` });
      await Promise.all([mine.up(serves("mine")), theirs.up(serves("theirs"))]);
      await mine.deprovision(true);
      assert.equal(await theirs.answers(), "theirs");
    },
  ],
});
