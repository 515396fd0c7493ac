import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isRight, plainly } from "./checks.ts";
import { subject } from "./local-subject.ts";
import { testFaults } from "./test-faults.ts";

test("the rig sees a doubled process, and a port where nobody answers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const world = await subject.start(folder);
  const site = { folder, places: world.places };
  const services = `web: { image: "ok:1", ports: [8080:3000] }`;
  const look = (): Promise<void> => isRight(subject, site, world, { services, runs: ["shop-web ok:1"] });
  try {
    assert.equal(await plainly(subject, site, { command: "deploy", services }), 0);
    await look();
    const [cwd = ""] = globSync(join(folder, "ref/replicas/*/work"));
    const stray = spawn(join(cwd, "ok-1"), [], { cwd, env: {}, stdio: "ignore" });
    await once(stray, "spawn");
    await assert.rejects(look, /what is there is not what is declared/);
    stray.kill("SIGKILL");
    await once(stray, "exit");
    await look();
    subject.kill?.("supervisor", site);
    subject.kill?.("gateway", site);
    await assert.rejects(look, /fetch failed/);
  } finally {
    await world.stop();
    await rm(folder, { recursive: true });
  }
});

testFaults("local", subject);
