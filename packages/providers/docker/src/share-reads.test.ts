import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineError, type EngineClient, type EngineRequest } from "@ctrlplane/images";
import { shareReads } from "./share-reads.ts";
import { findVolumes } from "./volume-list.ts";

const { signal } = new AbortController();
const volumes = [
  { Name: "lease", Labels: { "managed-by": "pctl", "pctl-role": "ledger", "pctl-record": "lease" } },
  { Name: "web", Labels: { "managed-by": "pctl", "pctl-role": "instance" } },
  { Name: "data", Labels: { "managed-by": "pctl" } },
];

/** An engine that answers with `answer`, and the requests that it saw. */
function engineOf(answer: (request: EngineRequest) => unknown): { engine: EngineClient; seen: EngineRequest[] } {
  const seen: EngineRequest[] = [];
  const json = <T>(request: EngineRequest): Promise<T> => {
    seen.push(request);
    return new Promise<T>((resolve, reject) => {
      request.signal?.addEventListener("abort", () => reject(request.signal?.reason as Error));
      // As the caller expects it.
      Promise.resolve(answer(request)).then((value) => resolve(value as T), reject);
    });
  };
  // `json` is all that is called.
  return { engine: shareReads({ json } as unknown as EngineClient), seen };
}

const list = (path: string, one = signal): EngineRequest => ({ method: "GET", path, signal: one });

test("what is asked at the same time with the same words is asked once", async () => {
  const { engine, seen } = engineOf(({ path }) => path);
  const paths = ["/containers/json", "/networks", "/containers/json", "/containers/a/json"];
  assert.deepEqual(await Promise.all(paths.map((path) => engine.json(list(path)))), paths);
  assert.deepEqual(
    seen.map(({ path }) => path),
    ["/containers/json", "/networks", "/containers/a/json"],
  );
});

test("what is asked after an answer, or while one is on its way, is asked again", async () => {
  const gate = Promise.withResolvers<void>();
  let answers = 0;
  const { engine, seen } = engineOf(async () => {
    await gate.promise;
    return (answers += 1);
  });
  const first = engine.json(list("/networks"));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const second = engine.json(list("/networks"));
  gate.resolve();
  assert.deepEqual([await first, await second], [1, 2]);
  assert.equal(await engine.json(list("/networks")), 3);
  assert.equal(seen.length, 3);
});

test("what writes, and what lasts, is passed on as often as it is asked", async () => {
  const { engine, seen } = engineOf(() => undefined);
  const write: EngineRequest = { method: "POST", path: "/containers/a/start", signal };
  const logs: EngineRequest = { method: "GET", path: "/containers/a/logs", query: { follow: true }, signal };
  await Promise.all([write, write, logs, logs].map((each) => engine.json(each)));
  assert.deepEqual(seen, [write, write, logs, logs]);
});

test("a list of volumes answers the narrower ones that are asked for beside it", async () => {
  const { engine, seen } = engineOf(() => ({ Volumes: volumes }));
  const found = await Promise.all([
    findVolumes(engine, [["pctl-role", "ledger"]], signal),
    findVolumes(engine, [["pctl-role", "instance"]], signal),
    findVolumes(
      engine,
      [
        ["pctl-role", "ledger"],
        ["pctl-record", "history"],
      ],
      signal,
    ),
    findVolumes(engine, ["managed-by"], signal),
  ]);
  assert.deepEqual(
    found.map((each) => each.map(({ Name }) => Name)),
    [["lease"], ["web"], [], ["lease", "web", "data"]],
  );
  assert.equal(seen.length, 1);
  assert.deepEqual(seen[0]?.query, { filters: { label: ["managed-by"] } });
});

test("lists of which none is within another are asked each", async () => {
  const { engine, seen } = engineOf(() => ({ Volumes: null }));
  await Promise.all([
    findVolumes(engine, [["pctl-role", "ledger"]], signal),
    findVolumes(engine, [["pctl-role", "instance"]], signal),
  ]);
  assert.equal(seen.length, 2);
});

test("an error is everybody's", async () => {
  const { engine } = engineOf(() => Promise.reject(new EngineError(500, "broken")));
  const asked = [engine.json(list("/networks")), engine.json(list("/networks"))];
  for (const each of asked) await assert.rejects(each, /broken/);
});

test("who gives up leaves the others their answer; the request ends with the last", async () => {
  const gate = Promise.withResolvers<string>();
  const { engine, seen } = engineOf(() => gate.promise);
  const [one, other] = [new AbortController(), new AbortController()];
  const given = engine.json(list("/networks", one.signal));
  const kept = engine.json(list("/networks", other.signal));
  await new Promise((resolve) => setImmediate(resolve));
  one.abort(new Error("given up"));
  await assert.rejects(given, /given up/);
  assert.equal(seen[0]?.signal?.aborted, false);
  gate.resolve("all");
  assert.equal(await kept, "all");

  const lost = [one.signal, other.signal].map((each) => engine.json(list("/volumes", each)));
  other.abort(new Error("over"));
  await assert.rejects(lost[0] ?? kept, /given up/);
  await assert.rejects(lost[1] ?? kept, /over/);
  // Nobody waited any more when it was to be sent.
  assert.equal(seen.length, 1);
});
