import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { instanceLabels, label, replicaLabels, sha256 } from "@ctrlplane/core/provider";
import type { EngineClient, EngineRequest } from "@ctrlplane/images";
import type { ContainerSummary } from "./engine-types.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { adoptionsOf } from "./adoption.ts";
import { instanceRecords } from "./instance-records.ts";
import { dockerLabel } from "./labels.ts";
import { listInstances } from "./list-instances.ts";
import type { Made } from "./made.ts";

const { signal } = new AbortController();
const reading = { signal, fence: { stack: "shop", epoch: 0, check: () => Promise.resolve() } };
const count = 1000;
const lineage = "lin_1";
const replicaHash = "a".repeat(64);
const made: Made = {
  v: 1,
  image: "web@sha256:1",
  env: {},
  ports: [],
  mounts: [],
  network: "shop-network",
  isDirect: true,
};

/** An engine on which so many services of one replica run, each with its record unless `pruned`; it counts what it is asked. */
function engineOf({ pruned = false, ledger }: { readonly pruned?: boolean; readonly ledger?: string } = {}): {
  engine: EngineClient;
  asked: string[];
} {
  const asked: string[] = [];
  const names = Array.from({ length: count }, (_, index) => `shop-s${String(index).padStart(4, "0")}`);
  const containers = names.map((name, index) => containerOf(name, index));
  const records = pruned ? [] : names.map((name, index) => recordOf(name, `id${index}`));
  const answer = ({ path, query = {} }: EngineRequest): unknown => {
    asked.push(path);
    if (path === "/containers/json") return containers;
    if (path === "/networks") return [{ Id: "n1", Name: "shop-network", Labels: {}, Created: "" }];
    if (path === "/volumes")
      return {
        Volumes: JSON.stringify(query["filters"]).includes("pctl-role=instance") ? records : ledgerOf(ledger),
      };
    if (path.startsWith("/images/")) return { Config: { Env: [] } };
    return detailsOf(containers.find((each) => path.includes(each.Id)));
  };
  const json = <T>(request: EngineRequest): Promise<T> => Promise.resolve(answer(request) as T);
  // The list asks for JSON alone.
  return { engine: { description: "test", json } as unknown as EngineClient, asked };
}

function ledgerOf(CreatedAt: string | undefined): readonly object[] {
  if (CreatedAt === undefined) return [];
  return [{ Name: "pctl-ledger-1.1", CreatedAt, Labels: { "pctl-role": "ledger", "pctl-stack": "shop" } }];
}

function serviceRecord(name: string): InstanceRecord {
  return {
    v: 1,
    service: name.slice("shop-".length),
    settled: {
      releaseId: `rel_${name}`,
      number: 3,
      specHash: "v1:1",
      replicaHash,
      generation: 0,
      deployment: "dep_1",
      replicas: 1,
    },
    stopped: false,
    ports: [],
    volumes: [],
  };
}

function containerOf(name: string, index: number): ContainerSummary {
  return {
    Id: `id${index}`,
    Names: [`/${name}`],
    Image: made.image,
    ImageID: "sha256:1",
    Created: 1,
    State: "running",
    Status: "Up 5 minutes",
    Labels: {
      ...replicaLabels({ stack: "shop", name, lineage }, { replicaHash, generation: 0, ordinal: 1 }),
      [dockerLabel.made]: JSON.stringify(made),
      [dockerLabel.serves]: JSON.stringify(serviceRecord(name)),
    },
    Ports: [],
    Mounts: [],
    NetworkSettings: { Networks: { "shop-network": { NetworkID: "n1" } } },
  };
}

function recordOf(name: string, id: string): object {
  const value = JSON.stringify({ ...serviceRecord(name), targets: { [id]: 100 } });
  return {
    Name: `pctl-instance-${sha256(name).slice(0, 32)}.1`,
    Labels: {
      ...instanceLabels({ stack: "shop", name, lineage }),
      "pctl-role": "instance",
      [dockerLabel.record]: name,
      [dockerLabel.nonce]: "n",
      [dockerLabel.value]: deflateRawSync(value).toString("base64"),
    },
  };
}

function detailsOf(container: ContainerSummary | undefined): object {
  assert.ok(container !== undefined);
  const { Id, Labels, Image } = container;
  return {
    Id,
    Image: "sha256:1",
    State: { Running: true, Status: "running" },
    Config: { Labels, Env: ["ADDED=1"], Cmd: null, Entrypoint: null, Image },
    HostConfig: { NanoCpus: 0, Memory: 0, PortBindings: {} },
    Mounts: [],
    NetworkSettings: container.NetworkSettings,
  };
}

const partsOf = (engine: EngineClient) => ({
  engine,
  records: instanceRecords(engine),
  adoptions: adoptionsOf(engine),
  publicHost: "127.0.0.1",
});

test("a list of 1,000 services is one page of four calls, and all of them serve", async () => {
  const { engine, asked } = engineOf();
  const { instances, cursor } = await listInstances(partsOf(engine), { stack: "shop" }, reading);
  assert.equal(cursor, undefined);
  assert.equal(instances.length, count);
  assert.deepEqual(
    new Set(instances.map((each) => `${each.state} ${each.altered?.length ?? 0}`)),
    new Set(["serving 0"]),
  );
  assert.deepEqual(asked.toSorted(), ["/containers/json", "/networks", "/volumes", "/volumes"]);
});

test("without any record the labels of the containers tell the same, by no further call", async () => {
  const recorded = await listInstances(partsOf(engineOf().engine), { stack: "shop" }, reading);
  const { engine, asked } = engineOf({ pruned: true });
  const { instances } = await listInstances(partsOf(engine), { stack: "shop" }, reading);
  assert.deepEqual(instances, recorded.instances);
  assert.equal(asked.length, 4);
});

test("where the ledger is older than the containers, what has no record was never settled, and is ours", async () => {
  const { engine, asked } = engineOf({ pruned: true, ledger: "1970-01-01T00:00:01Z" });
  const { instances } = await listInstances(partsOf(engine), { stack: "shop" }, reading);
  assert.equal(instances.length, count);
  assert.deepEqual([instances[0]?.settled, instances[0]?.labels[label.lineage]], [undefined, lineage]);
  assert.deepEqual(
    instances[0]?.revisions.map((each) => each.weight),
    [0],
  );
  assert.equal(asked.length, 4);
});

test("a page of a given size goes on where it ended", async () => {
  const { engine } = engineOf();
  const first = await listInstances(partsOf(engine), { stack: "shop", limit: 600 }, reading);
  assert.ok(first.cursor !== undefined);
  const { cursor } = first;
  const second = await listInstances(partsOf(engine), { stack: "shop", limit: 600, cursor }, reading);
  assert.deepEqual([first.instances.length, second.instances.length, second.cursor], [600, 400, undefined]);
});

test("with `refresh` each replica is inspected once, and each image", async () => {
  const { engine, asked } = engineOf();
  const { instances } = await listInstances(partsOf(engine), { stack: "shop", refresh: true }, reading);
  assert.deepEqual(instances[7]?.altered, [
    { path: "env.ADDED", before: "a value on shop-s0007", after: "absent", cause: "drift" },
  ]);
  assert.equal(asked.length, 4 + count + 1);
});

test("what the holder of a lease has listed is not asked for again by it, and by others it is", async () => {
  const { engine, asked } = engineOf();
  const parts = partsOf(engine);
  const held = { ...reading, fence: { ...reading.fence, epoch: 1 } };
  await listInstances(parts, { stack: "shop", names: ["shop-s0001", "shop-new"] }, held);
  const name = (each: string) => parts.records.read({ name: each, lineage: "l" }, held);
  assert.equal((await name("shop-s0001"))?.record.service, "s0001");
  assert.equal(await name("shop-new"), undefined);
  assert.equal(asked.length, 4);
  await parts.records.read({ name: "shop-s0001", lineage: "l" }, { ...held, fence: { ...held.fence, epoch: 2 } });
  assert.equal(asked.length, 5);
});
