import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { ensureCacheFolder } from "./cache-folder.ts";
import { fileStateStore } from "./file-store.ts";
import { startScript } from "./testing/processes.ts";
import { sampleDocument, stateStoreBehaviours } from "./testing/state-store-behaviours.ts";

stateStoreBehaviours("fileStateStore", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pctl-state-"));
  return {
    one: fileStateStore(folder),
    other: fileStateStore(folder),
    end: () => rm(folder, { recursive: true, force: true }),
  };
});

const seedFile = {
  "my-app-api": {
    provider: "aws",
    cluster: "prod-cluster",
    namespace: "production",
    image: "507738.ecr.us-east-1.amazonaws.com/api:1710000000000",
    labels: { "managed-by": "pctl", "pctl-stack": "my-app", "pctl-service": "my-app-api" },
    fingerprint: "a3f8c1b2",
    hasPorts: true,
    hasHpa: true,
    pushedByPctl: true,
  },
  "my-app-old": { provider: "docker", host: "local", destroyed: true },
};

describe("the state file", () => {
  it("has the seed's format, with one key of ours", async (t) => {
    const { folder, file, content } = await temporary(t);
    await fileStateStore(folder).write("shop", sampleDocument(1), undefined);
    const { $state, ...entries } = content();
    assert.deepEqual(entries, sampleDocument(1).entries);
    assert.deepEqual(Object.keys($state).sort(), ["checksum", "lineage", "serial", "version"]);
    assert.deepEqual([$state.version, $state.serial, $state.lineage], [1, 1, "lin_1"]);
    assert.ok(readFileSync(file, "utf8").endsWith("}\n"));
    assert.deepEqual(readdirSync(folder).sort(), [".pctl", "pctl.shop.json"]);
  });

  it("of pctl 1.1 is taken over as it is", async (t) => {
    const { folder } = await temporary(t);
    writeFileSync(join(folder, "pctl.my-app.json"), JSON.stringify(seedFile));
    const store = fileStateStore(folder);
    const found = await store.read("my-app");
    assert.deepEqual(found, { serial: 0, lineage: "", entries: seedFile });
    await store.write("my-app", { serial: 1, lineage: "lin_1", entries: seedFile }, 0);
    assert.deepEqual(await store.read("my-app"), { serial: 1, lineage: "lin_1", entries: seedFile });
    assert.deepEqual(JSON.parse(readFileSync(join(folder, ".pctl/state/pctl.my-app.json.bak"), "utf8")), seedFile);
  });

  it("keeps keys that are no entries, and fields of ours that a later version added", async (t) => {
    const { folder, file, content } = await temporary(t);
    writeFileSync(file, JSON.stringify({ "x-note": "mine", list: [1], plain: { no: "provider" } }));
    const store = fileStateStore(folder);
    assert.deepEqual((await store.read("shop"))?.entries, {});
    await store.write("shop", sampleDocument(1), 0);
    await store.write("shop", sampleDocument(2, { entries: {} }), 1);
    const { $state: _, ...rest } = content();
    assert.deepEqual(rest, { "x-note": "mine", list: [1], plain: { no: "provider" } });
  });

  it("may be formatted anew, but not edited", async (t) => {
    const { folder, file, content } = await temporary(t);
    const store = fileStateStore(folder);
    await store.write("shop", sampleDocument(1), undefined);
    const { "shop-web": web, $state } = content();
    writeFileSync(file, `\uFEFF${JSON.stringify({ $state, "shop-web": web })}`);
    assert.deepEqual(await store.read("shop"), sampleDocument(1));
    for (const edited of [
      { $state, "shop-web": { ...web, release: 9 } },
      { $state, "shop-web": web, "shop-db": web },
      { $state: { ...$state, serial: 9 }, "shop-web": web },
      { $state: { ...$state, lineage: "lin_2" }, "shop-web": web },
    ]) {
      writeFileSync(file, JSON.stringify(edited));
      await assert.rejects(store.read("shop"), {
        code: "INVALID",
        message: /edited by hand/,
        hint: /pctl state rebuild/,
      });
    }
  });

  it("that is damaged is refused by name, never read as empty and never overwritten", async (t) => {
    const { folder, file } = await temporary(t);
    const store = fileStateStore(folder);
    await store.write("shop", sampleDocument(1), undefined);
    const whole = readFileSync(file, "utf8");
    for (const text of [
      "",
      "  \n",
      "null",
      "[]",
      "42",
      whole.slice(0, whole.length / 2),
      '{"$state":1}',
      '{"$state":{"version":1}}',
    ]) {
      writeFileSync(file, text);
      const expected = {
        code: "INVALID",
        message: /state file .*pctl\.shop\.json is damaged: /,
        hint: "Run `pctl state rebuild`.",
      };
      await assert.rejects(store.read("shop"), expected, text);
      await assert.rejects(store.write("shop", sampleDocument(2), 1), expected, text);
      await assert.rejects(store.write("shop", sampleDocument(1), undefined), expected, text);
      assert.equal(readFileSync(file, "utf8"), text);
    }
    writeFileSync(file, whole);
    await store.write("shop", sampleDocument(2), 1);
    writeFileSync(file, "half a fi");
    await assert.rejects(store.read("shop"), { hint: /last good copy is .*\.pctl\/state\/pctl\.shop\.json\.bak\.$/ });
  });

  it("that is damaged is moved away, not deleted, to be written anew", async (t) => {
    const { folder, file } = await temporary(t);
    writeFileSync(file, "half a fi");
    const store = fileStateStore(folder);
    const kept = await store.setAside("shop");
    assert.ok(kept !== undefined);
    assert.equal(readFileSync(kept, "utf8"), "half a fi");
    await store.write("shop", sampleDocument(1), undefined);
  });

  it("of a later version is refused as such", async (t) => {
    const { folder, file } = await temporary(t);
    writeFileSync(file, '{"$state":{"version":2}}');
    await assert.rejects(fileStateStore(folder).read("shop"), { code: "UNSUPPORTED" });
  });

  it("has a copy of the last good one beside it", async (t) => {
    const { folder, file } = await temporary(t);
    const store = fileStateStore(folder);
    await store.write("shop", sampleDocument(1), undefined);
    const first = readFileSync(file, "utf8");
    await store.write("shop", sampleDocument(2), 1);
    assert.equal(readFileSync(join(folder, ".pctl/state/pctl.shop.json.bak"), "utf8"), first);
  });

  it("keeps its mode, and the link by which it is reached", async (t) => {
    const { folder, file } = await temporary(t);
    mkdirSync(join(folder, "elsewhere"));
    symlinkSync("elsewhere/real.json", file);
    const store = fileStateStore(folder);
    await store.write("shop", sampleDocument(1), undefined);
    chmodSync(join(folder, "elsewhere/real.json"), 0o664);
    await store.write("shop", sampleDocument(2), 1);
    assert.ok(lstatSync(file).isSymbolicLink());
    assert.equal(statSync(join(folder, "elsewhere/real.json")).mode & 0o777, 0o664);
    assert.equal((await store.read("shop"))?.serial, 2);
  });

  it("says what is wrong with its path", async (t) => {
    const { folder, file } = await temporary(t);
    symlinkSync("pctl.shop.json", file);
    await assert.rejects(fileStateStore(folder).write("shop", sampleDocument(1), undefined), {
      code: "INVALID",
      message: /loop/,
    });
    mkdirSync(join(folder, "pctl.blog.json"));
    await assert.rejects(fileStateStore(folder).read("blog"), { code: "INVALID", message: /it is a folder/ });
    await assert.rejects(fileStateStore(folder).read("x".repeat(300)), { code: "INVALID", message: /too long/ });
    for (const stack of ["", "a/b", "../shop"])
      await assert.rejects(fileStateStore(folder).read(stack), { code: "INVALID" });
  });
});

describe("the state file when the system fails", () => {
  it("is as it was when the disk is full, and nothing is left beside it", async (t) => {
    const { folder, file } = await temporary(t);
    await fileStateStore(folder).write("shop", sampleDocument(1), undefined);
    const before = readFileSync(file, "utf8");
    const full = fileStateStore(folder, {
      write: async (path, content, mode) => {
        const half = await open(path, "wx", mode);
        await half.writeFile(content.slice(0, content.length / 2));
        await half.close();
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      },
    });
    await assert.rejects(full.write("shop", sampleDocument(2), 1), {
      code: "QUOTA",
      message: /cannot write the state file .*: the disk is full/,
    });
    assert.equal(readFileSync(file, "utf8"), before);
    assert.deepEqual(readdirSync(folder).sort(), [".pctl", "pctl.shop.json"]);
    await fileStateStore(folder).write("shop", sampleDocument(2), 1);
  });

  it("is not taken for absent when it may not be read", async (t) => {
    const { folder, file } = await temporary(t);
    await fileStateStore(folder).write("shop", sampleDocument(1), undefined);
    chmodSync(file, 0o000);
    chmodSync(folder, 0o755);
    const reader = startScript(t, import.meta.resolve("./testing/read-state.ts"), [folder]);
    await reader.ended;
    assert.match(reader.output(), /^FORBIDDEN cannot read the state file .*pctl\.shop\.json: permission denied$/);
  });
});

describe("the state file between processes", () => {
  it("loses no update of two processes", async (t) => {
    const { folder } = await temporary(t);
    const processes = [
      startScript(t, import.meta.resolve("./testing/write-state.ts"), [folder, "25"]),
      startScript(t, import.meta.resolve("./testing/write-state.ts"), [folder, "25"]),
    ];
    assert.deepEqual(await Promise.all(processes.map(({ ended }) => ended)), [0, 0]);
    assert.equal((await fileStateStore(folder).read("shop"))?.serial, 50);
  });

  it("is whole, and written on at once, after a process was killed while it wrote", async (t) => {
    const { folder } = await temporary(t);
    const store = fileStateStore(folder);
    for (const writes of [1, 2, 4]) {
      const writer = startScript(t, import.meta.resolve("./testing/write-state.ts"), [folder, "100000"]);
      await writer.printed("+".repeat(writes));
      writer.child.kill("SIGKILL");
      await writer.ended;
      const found = await store.read("shop");
      assert.ok(found !== undefined && found.serial >= writes);
      await store.write("shop", sampleDocument(found.serial + 1), found.serial);
      assert.deepEqual(readdirSync(folder).sort(), [".pctl", "pctl.shop.json"]);
    }
  });
});

describe("ensureCacheFolder", () => {
  it("makes a folder that git ignores, and leaves what its owner changed", async (t) => {
    const { folder } = await temporary(t);
    const path = await ensureCacheFolder(folder);
    assert.equal(readFileSync(join(path, ".gitignore"), "utf8"), "*\n");
    writeFileSync(join(path, ".gitignore"), "mine\n");
    await ensureCacheFolder(folder);
    assert.equal(readFileSync(join(path, ".gitignore"), "utf8"), "mine\n");
    assert.ok(existsSync(join(folder, ".pctl")));
  });
});

async function temporary(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "pctl-state-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "pctl.shop.json");
  return { folder, file, content: () => JSON.parse(readFileSync(file, "utf8")) };
}
