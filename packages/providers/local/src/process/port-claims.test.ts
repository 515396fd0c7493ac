import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { PortClaims } from "./port-claims.ts";
import { freePort } from "./ports.ts";

test("a port is claimed once, and again after it was released", async () => {
  const [one, other] = [new PortClaims(), new PortClaims()];
  const port = await freePort(new Set());
  assert.deepEqual(await Promise.all([one.claim(port), other.claim(port)]), [true, false]);
  assert.deepEqual([await one.claim(port), await one.hold(port), await other.hold(port)], [false, true, false]);
  assert.deepEqual([...one.ports], [port]);
  one.release(port);
  assert.equal(await other.hold(port), true);
  other.release(port);
});

test("a claim ends with its process, however that ends", async (t) => {
  const port = await freePort(new Set());
  const program = `
    const { PortClaims } = await import(${JSON.stringify(import.meta.resolve("./port-claims.ts"))});
    console.log(await new PortClaims().claim(${port}));
    setInterval(() => undefined, 1000);`;
  const args = ["--conditions=source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer]; // the event's argument
  assert.equal(said.toString().trim(), "true");
  const claims = new PortClaims();
  assert.equal(await claims.claim(port), false);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(await claims.claim(port), true);
  claims.release(port);
});
