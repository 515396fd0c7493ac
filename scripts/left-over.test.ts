import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { endLeftOver } from "./left-over.ts";

const marker = `left-over-test-${process.pid}`;

test("a process that carries the marker is named and ended, another is not", async (context) => {
  const ours = start({ CTRLPLANE_TEST_RUN: marker });
  const other = start({ CTRLPLANE_TEST_RUN: `${marker}-other` });
  context.after(() => other.kill("SIGKILL"));
  await Promise.all([once(ours, "spawn"), once(other, "spawn")]);
  const ended = once(ours, "exit");

  const found = await endLeftOver(marker);

  assert.deepEqual(found, [`${ours.pid} sleep 600`]);
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.equal(other.exitCode, null);
  assert.equal(other.signalCode, null);
});

test("nothing left, nothing named", async () => {
  assert.deepEqual(await endLeftOver(`${marker}-of-nobody`), []);
});

function start(environment: Record<string, string>) {
  return spawn("sleep", ["600"], { env: { PATH: process.env.PATH, ...environment }, stdio: "ignore" });
}
