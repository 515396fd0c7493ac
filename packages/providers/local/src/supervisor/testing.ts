import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { isCtrlPlaneError, type CtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonFile, layout, replicaFiles } from "../layout.ts";
import { isAlive } from "../process/identity.ts";
import { readJsonFile } from "../process/json-file.ts";
import { supervisorClient, type CreateReplica, type LocalReplica, type SupervisorClient } from "./client.ts";
import type { ProcessIdentity, RunRecord } from "./records.ts";
import { pause } from "./timing.ts";

export const fence = { stack: "shop", epoch: 1 };
export const write = { fence };

/** A server that answers every request with `body`, an expression. */
export function server(body = `"ok"`): readonly string[] {
  return node(
    `require("node:http").createServer((q, r) => r.end(String(${body}))).listen(process.env.PORT, "127.0.0.1")`,
  );
}

export function node(script: string): readonly string[] {
  return [process.execPath, "-e", script];
}

/** A data folder of its own. Its processes end with the test, which fails if one does not. */
export function dataFolder(test: TestContext): { readonly dir: string; readonly client: SupervisorClient } {
  const dir = mkdtempSync(join(tmpdir(), "pctl-supervisor-"));
  const client = supervisorClient({ dir, env: process.env, start: "on-demand" });
  test.after(async () => {
    await client.shutdown({ stopServices: true }, {});
    const left = processesOf(dir);
    while (left.some((each) => isAlive(each.process)) && (await patience(left))) await pause(20);
    const names = left.filter((each) => isAlive(each.process)).map((each) => each.name);
    for (const { process: found } of left) if (isAlive(found)) process.kill(found.pid, "SIGKILL");
    rmSync(dir, { recursive: true, force: true });
    assert.deepEqual(names, []);
  });
  return { dir, client };
}

const patienceUntil = new WeakMap<object, number>();

async function patience(key: object): Promise<boolean> {
  const until = patienceUntil.get(key) ?? Date.now() + 5000;
  patienceUntil.set(key, until);
  return Date.now() < until;
}

/** Every process that the folder's files name, replicas in the archive included. */
function processesOf(dir: string): readonly { readonly name: string; readonly process: ProcessIdentity }[] {
  const daemons = (["supervisor", "gateway"] as const).flatMap((name) => {
    const found = readJsonFile<ProcessIdentity>(daemonFile(dir, name));
    return found === undefined ? [] : [{ name, process: found }];
  });
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("/run.json"));
  const runs = names.flatMap((name) => {
    const run = readJsonFile<RunRecord>(join(dir, name));
    return run === undefined
      ? []
      : [
          { name, process: run },
          { name: `${name} shim`, process: run.shim },
        ];
  });
  return [...daemons, ...runs];
}

export function request(
  command: readonly string[],
  change: {
    readonly id?: string;
    readonly env?: CreateReplica["env"];
    readonly replica?: Partial<CreateReplica["replica"]>;
    readonly tree?: string;
    readonly links?: CreateReplica["links"];
  } = {},
): CreateReplica {
  const name = change.id ?? "shop-web";
  return {
    replica: {
      id: `${name}.00000001`,
      name,
      instance: "shop-web",
      deployment: "dep_1",
      releaseNumber: 1,
      ordinal: 1,
      replicaHash: "abc",
      generation: 0,
      labels: {},
      command,
      ports: [{ containerPort: 3000, protocol: "http" }],
      policy: { stop: { signal: "SIGTERM", graceMs: 2000 }, restart: "always" },
      limits: {},
      ...change.replica,
    },
    env: change.env ?? {},
    links: change.links ?? [],
    ...(change.tree === undefined ? {} : { workFrom: { tree: change.tree } }),
    instance: {
      name: "shop-web",
      stack: "shop",
      service: "web",
      labels: {},
      addresses: [],
      volumes: [],
      observedFields: [],
      fields: {},
    },
  };
}

/** Created, started and ready. */
export async function running(client: SupervisorClient, wanted: CreateReplica): Promise<LocalReplica> {
  const { id } = await client.create(wanted, write);
  await client.start(id, write);
  await client.waitReady(id, { timeoutMs: 10_000 }, {});
  return only(client, id);
}

export async function only(client: SupervisorClient, id: string): Promise<LocalReplica> {
  const found = (await client.list()).find((each) => each.id === id);
  assert.ok(found !== undefined, `${id} is not listed`);
  return found;
}

/** Starts what is to fail, and returns how it did. */
export async function failureOf(
  client: SupervisorClient,
  wanted: CreateReplica,
  timeoutMs = 10_000,
): Promise<CtrlPlaneError> {
  const { id } = await client.create(wanted, write);
  try {
    await client.start(id, write);
    await client.waitReady(id, { timeoutMs }, {});
  } catch (error) {
    if (isCtrlPlaneError(error)) return error;
    throw error;
  }
  throw new Error(`${id} became ready`);
}

export async function text(replica: LocalReplica): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${replica.record.ports[0]?.port}/`);
  return answer.text();
}

/** Ends a process that the test knows, and waits until it is gone. */
export async function killed(found: ProcessIdentity): Promise<void> {
  process.kill(found.pid, "SIGKILL");
  while (isAlive(found)) await pause(5);
}

export function supervisorOf(dir: string): ProcessIdentity {
  const found = readJsonFile<ProcessIdentity>(daemonFile(dir, "supervisor"));
  assert.ok(found !== undefined && isAlive(found), "no supervisor runs");
  return found;
}

export function runOf(dir: string, id: string): RunRecord {
  const found = readJsonFile<RunRecord>(replicaFiles(join(layout(dir).replicas, id)).run);
  assert.ok(found !== undefined, `${id} does not run`);
  return found;
}

/** Looks again every 20 ms, for as long as `withinMs`, by default 10 s. For what other processes do by themselves. */
export async function eventually(
  condition: () => Promise<boolean> | boolean,
  what: string,
  withinMs = 10_000,
): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; await pause(20)) if (await condition()) return;
  assert.fail(`never happened: ${what}`);
}
