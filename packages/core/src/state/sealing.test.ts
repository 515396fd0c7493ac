import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { keyPath, lazySealer, loadKey } from "./key.ts";
import { createSealer, isSealed, keyId } from "./sealing.ts";
import { startScript } from "./testing/processes.ts";

describe("createSealer", () => {
  const key = randomBytes(32);
  const sealer = createSealer(key);

  it("opens what it sealed, byte for byte, for the same purpose", () => {
    for (const plain of ["", "pässword\n\u0000🚀", "x".repeat(1_000_000)]) {
      const sealed = sealer.seal(plain, "env of web");
      assert.match(sealed, /^sealed:v1:[0-9a-f]{8}:[A-Za-z0-9_-]+$/);
      assert.ok(isSealed(sealed));
      assert.equal(sealer.open(sealed, "env of web"), plain);
      assert.throws(() => sealer.open(sealed, "env of db"), { code: "INVALID" });
    }
  });

  it("seals one text differently each time", () => {
    assert.notEqual(sealer.seal("same", ""), sealer.seal("same", ""));
  });

  it("tells a wrong key from a damaged text", () => {
    const sealed = sealer.seal("secret", "p");
    const other = createSealer(randomBytes(32));
    assert.throws(() => other.open(sealed, "p"), {
      code: "FORBIDDEN",
      hint: /PCTL_KEY/,
      message: new RegExp(keyId(key)),
    });
    const at = sealed.length - 10;
    const flipped = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
    for (const damaged of [flipped, sealed.slice(0, -30), sealed.slice(0, 25), "sealed:v1:", "plain"]) {
      assert.throws(() => sealer.open(damaged, "p"), { code: "INVALID" }, damaged);
    }
  });

  it("refuses a key of another length", () => {
    assert.throws(() => createSealer(randomBytes(16)), { code: "INVALID" });
  });
});

describe("loadKey", () => {
  it("takes PCTL_KEY as hex or base64, and refuses another text", (t) => {
    const home = temporaryHome(t);
    const key = randomBytes(32);
    for (const text of [
      key.toString("hex"),
      key.toString("base64"),
      key.toString("base64url"),
      ` ${key.toString("hex")}\n`,
    ]) {
      assert.deepEqual(loadKey({ env: { PCTL_KEY: text }, home, create: false }), key);
    }
    for (const text of ["password", key.toString("hex").slice(1), `${key.toString("hex")}00`]) {
      const expected = { code: "INVALID", hint: /openssl rand -hex 32/ };
      assert.throws(() => loadKey({ env: { PCTL_KEY: text }, home, create: true }), expected);
    }
    assert.deepEqual(readdirSync(home), []);
  });

  it("makes the file at first need alone, for its user alone", (t) => {
    const home = temporaryHome(t);
    assert.equal(loadKey({ env: {}, home, create: false }), undefined);
    const key = loadKey({ env: {}, home, create: true });
    const path = join(home, ".config/pctl/key");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    assert.deepEqual(loadKey({ env: {}, home, create: false }), key);
    assert.deepEqual(readdirSync(dirname(path)), ["key"]);
  });

  it("respects XDG_CONFIG_HOME", (t) => {
    const home = temporaryHome(t);
    const env = { XDG_CONFIG_HOME: join(home, "elsewhere") };
    loadKey({ env, home, create: true });
    assert.equal(keyPath({ env, home }), join(home, "elsewhere/pctl/key"));
    assert.ok(statSync(keyPath({ env, home })).isFile());
  });

  it("refuses a file that others can read, and one that holds no key", (t) => {
    const home = temporaryHome(t);
    loadKey({ env: {}, home, create: true });
    const path = keyPath({ env: {}, home });
    chmodSync(path, 0o640);
    assert.throws(() => loadKey({ env: {}, home, create: true }), { code: "FORBIDDEN", hint: /chmod 600/ });
    chmodSync(path, 0o600);
    writeFileSync(path, "half");
    assert.throws(() => loadKey({ env: {}, home, create: true }), { code: "INVALID", target: path });
    assert.equal(readFileSync(path, "utf8"), "half");
  });

  it("ends with one key in two processes that make it at one time", async (t) => {
    const home = temporaryHome(t);
    mkdirSync(join(home, ".config"));
    const processes = Array.from({ length: 4 }, () =>
      startScript(t, import.meta.resolve("./testing/make-key.ts"), [home]),
    );
    assert.deepEqual(await Promise.all(processes.map(({ ended }) => ended)), [0, 0, 0, 0]);
    assert.equal(new Set(processes.map(({ output }) => output())).size, 1);
    assert.match(processes[0]?.output() ?? "", /^[0-9a-f]{64}$/);
  });
});

describe("lazySealer", () => {
  it("makes no key to open, and one to seal", (t) => {
    const home = temporaryHome(t);
    const sealer = lazySealer({ env: {}, home });
    const foreign = createSealer(randomBytes(32)).seal("secret", "p");
    assert.throws(() => sealer.open(foreign, "p"), { code: "FORBIDDEN", hint: /PCTL_KEY/ });
    assert.deepEqual(readdirSync(home), []);
    const sealed = sealer.seal("secret", "p");
    assert.equal(lazySealer({ env: {}, home }).open(sealed, "p"), "secret");
  });
});

function temporaryHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), "pctl-key-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}
