import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineError, type EngineRequest } from "@ctrlplane/images";
import { removeNetwork } from "./remove-network.ts";

interface Answers {
  /** How many DELETEs are refused as 403. */
  readonly refused: number;
  readonly inside?: readonly object[];
}

async function remove({ refused, inside = [] }: Answers): Promise<{ readonly is: string; readonly slept: number }> {
  let left = refused;
  let slept = 0;
  const json = <T>({ method, path, query }: EngineRequest): Promise<T> => {
    if (method === "GET") {
      assert.equal(path, "/containers/json");
      assert.deepEqual(query, { all: true, filters: { network: ["shop-network"] } });
      return Promise.resolve(inside as T);
    }
    assert.equal(path, "/networks/n1");
    if (left === 0) return Promise.resolve(undefined as T);
    left -= 1;
    return Promise.reject(new EngineError(403, "network shop-network has active endpoints"));
  };
  const sleep = (ms: number): Promise<void> => {
    slept += ms;
    return Promise.resolve();
  };
  const context = { signal: new AbortController().signal, clock: { sleep } };
  return { is: await removeNetwork({ json }, { Id: "n1", Name: "shop-network" }, context), slept };
}

test("a network is removed, stays where containers are in it, and is told of where the engine alone believes so", async () => {
  assert.deepEqual(await remove({ refused: 0 }), { is: "removed", slept: 0 });
  assert.deepEqual(await remove({ refused: 1, inside: [{}] }), { is: "used", slept: 0 });
  assert.deepEqual(await remove({ refused: 2 }), { is: "removed", slept: 500 });
  assert.deepEqual(await remove({ refused: Infinity }), { is: "miscounted", slept: 1000 });
});
