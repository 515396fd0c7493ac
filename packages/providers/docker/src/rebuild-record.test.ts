import assert from "node:assert/strict";
import { test } from "node:test";
import { replicaLabels } from "@ctrlplane/core/provider";
import type { ContainerSummary } from "./engine-types.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { dockerLabel } from "./labels.ts";
import { rebuiltRecord } from "./rebuild-record.ts";

interface Of {
  readonly number: number;
  readonly hash?: string;
  readonly state?: ContainerSummary["State"];
  readonly status?: string;
  readonly name?: string;
  readonly lineage?: string;
  readonly isJob?: boolean;
  readonly replicas?: number;
}

let made = 0;

function containerOf({
  number,
  hash = "a",
  state = "running",
  status = "Up",
  name,
  lineage = "lin_1",
  isJob = false,
  replicas = 2,
}: Of): ContainerSummary {
  made += 1;
  const record: InstanceRecord = {
    v: 1,
    service: "web",
    settled: {
      releaseId: `rel_${number}`,
      number,
      specHash: `v1:${number}`,
      replicaHash: hash,
      generation: 0,
      deployment: `dep_${number}`,
      replicas,
    },
    stopped: false,
    ports: [],
  };
  return {
    Id: `id${made}`,
    Names: [`/${name ?? `shop-web-${made}`}`],
    Image: "web",
    ImageID: "sha256:1",
    Created: 1_700_000_000,
    State: state,
    Status: status,
    Labels: {
      ...replicaLabels({ stack: "shop", name: "shop-web", lineage }, { replicaHash: hash, generation: 0, ordinal: 1 }),
      [dockerLabel.serves]: JSON.stringify(record),
      ...(isJob ? { [dockerLabel.kind]: "job" } : {}),
    },
    Ports: [],
    Mounts: [],
  };
}

const settledOf = (...containers: ContainerSummary[]) =>
  rebuiltRecord("shop-web", containers, { lineage: "lin_1" })?.record.settled;

test("what runs is what is settled, and is asked by equal shares", () => {
  const two = [containerOf({ number: 3 }), containerOf({ number: 3 })];
  const found = rebuiltRecord("shop-web", two, { lineage: "lin_1" });
  assert.equal(found?.stack, "shop");
  assert.equal(found.labels["pctl-lineage"], "lin_1");
  assert.equal(found.labels["pctl-replica-hash"], undefined);
  assert.equal(found.record.settled?.number, 3);
  assert.deepEqual(Object.values(found.record.targets ?? {}), [50, 50]);
});

test("a release that replaced no replica is told by the replicas that it added", () => {
  const settled = settledOf(
    containerOf({ number: 3 }),
    containerOf({ number: 5, replicas: 3 }),
    containerOf({ number: 4 }),
  );
  assert.deepEqual([settled?.number, settled?.replicas], [5, 3]);
});

test("of two revisions the older that runs counts: the newer may have been on its way", () => {
  assert.equal(settledOf(containerOf({ number: 4, hash: "b" }), containerOf({ number: 3 }))?.number, 3);
  assert.equal(
    settledOf(containerOf({ number: 4, hash: "b" }), containerOf({ number: 3, state: "exited" }))?.number,
    4,
  );
  const none = [containerOf({ number: 3, state: "exited" }), containerOf({ number: 4, hash: "b", state: "exited" })];
  assert.equal(settledOf(...none)?.number, 4);
});

test("what is kept for its log tells nothing, a job's that has ended tells that it is done", () => {
  const kept = {
    number: 3,
    state: "exited",
    status: "Exited (0) 3 minutes ago",
    name: "shop-web.old-0123abcd",
  } as const;
  assert.equal(settledOf(containerOf(kept)), undefined);
  assert.equal(settledOf(containerOf({ ...kept, isJob: true }))?.completedAt, "2023-11-14T22:13:20.000Z");
  assert.equal(
    settledOf(containerOf({ ...kept, isJob: true, status: "Exited (1) 3 minutes ago" }))?.completedAt,
    undefined,
  );
});

test("what is younger than the ledger of its stack has lost no record: its first deployment did not end", () => {
  const young = containerOf({ number: 1 });
  const settledBy = (ledger: number, stack = "shop") => {
    const ages = new Map([[stack, ledger * 1000]]);
    return rebuiltRecord("shop-web", [young], { lineage: "lin_1", ages })?.record.settled?.number;
  };
  assert.equal(settledBy(young.Created + 1), 1);
  assert.equal(settledBy(young.Created), undefined);
  assert.equal(settledBy(young.Created, "other"), 1);
  const found = rebuiltRecord("shop-web", [young], { ages: new Map([["shop", 0]]) });
  assert.deepEqual(found?.record, { v: 1, service: "web", stopped: false, ports: [] });
  assert.equal(found.labels["pctl-lineage"], "lin_1");
});

test("another lineage is told as what it is, where there is none of ours", () => {
  const other = containerOf({ number: 9, lineage: "lin_2" });
  assert.equal(rebuiltRecord("shop-web", [other], { lineage: "lin_1" })?.labels["pctl-lineage"], "lin_2");
  assert.equal(settledOf(other, containerOf({ number: 3 }))?.number, 3);
});
