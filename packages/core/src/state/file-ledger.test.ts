import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { fileLedger } from "./file-ledger.ts";
import { testContext } from "./testing/context.ts";
import { ledgerBehaviours } from "./testing/ledger-behaviours.ts";
import { startScript } from "./testing/processes.ts";

ledgerBehaviours("fileLedger", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pctl-ledger-"));
  return {
    one: fileLedger(join(folder, "ledger")),
    other: fileLedger(join(folder, "ledger")),
    end: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("fileLedger between processes", () => {
  const context = testContext();

  it("loses no update of two processes, and keeps nothing but the last value", async (t) => {
    const folder = await temporaryFolder(t);
    const ledger = fileLedger(folder);
    await ledger.create("counter", "0", context);
    const processes = [
      startScript(t, import.meta.resolve("./testing/hammer.ts"), [folder, "150"]),
      startScript(t, import.meta.resolve("./testing/hammer.ts"), [folder, "150"]),
    ];
    assert.deepEqual(await Promise.all(processes.map(({ ended }) => ended)), [0, 0]);
    assert.equal((await ledger.read("counter", context))?.value, "300");
    assert.equal((await readdir(join(folder, "counter@"))).length, 2);
  });

  it("goes on after a process was killed at any moment, with every update that it reported", async (t) => {
    const folder = await temporaryFolder(t);
    const ledger = fileLedger(folder);
    await ledger.create("counter", "0", context);
    let reported = 0;
    for (const updates of [1, 3, 7]) {
      const { child, ended, output, printed } = startScript(t, import.meta.resolve("./testing/hammer.ts"), [
        folder,
        "100000",
      ]);
      await printed("+".repeat(updates));
      child.kill("SIGKILL");
      assert.equal(await ended, "SIGKILL");
      reported += output().split("+").length - 1;
      const record = await ledger.read("counter", context);
      // The last one may have been made and not been reported.
      const made = Number(record?.value);
      assert.ok(made === reported || made === reported + 1, `${made} were made, ${reported} reported`);
      reported = made;
    }
    await ledger.remove("counter", undefined, context);
    await ledger.create("counter", "again", context);
    assert.equal((await ledger.read("counter", context))?.value, "again");
  });
});

describe("fileLedger and leftovers", () => {
  const context = testContext();

  it("does not see a record whose removal was broken off, and creates it anew", async (t) => {
    const folder = await temporaryFolder(t);
    const ledger = fileLedger(folder);
    const version = await ledger.create("a/b", "1", context);
    await unlink(join(folder, "a/b@", `f.${version}`));
    assert.equal(await ledger.read("a/b", context), undefined);
    assert.deepEqual(await ledger.list("", context), []);
    await assert.rejects(ledger.swap("a/b", "2", version, context), { code: "CONFLICT" });
    await ledger.create("a/b", "new", context);
    assert.equal((await ledger.read("a/b", context))?.value, "new");
    assert.equal((await readdir(join(folder, "a/b@"))).length, 1);
  });

  it("names a record whose value somebody deleted", async (t) => {
    const folder = await temporaryFolder(t);
    const ledger = fileLedger(folder);
    const version = await ledger.swap("a", "2", await ledger.create("a", "1", context), context);
    await unlink(join(folder, "a@", `v.${version}`));
    await assert.rejects(ledger.read("a", context), {
      code: "INVALID",
      message: "the record a is damaged: its value is missing",
    });
  });

  it("sweeps what a process left an hour ago, and nothing younger", async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, "@work/old"), { recursive: true });
    await mkdir(join(folder, "@work/young"));
    const twoHoursAgo = Date.now() / 1000 - 7200;
    await utimes(join(folder, "@work/old"), twoHoursAgo, twoHoursAgo);
    await fileLedger(folder).create("a", "1", context);
    assert.deepEqual(await readdir(join(folder, "@work")), ["young"]);
  });

  it("is readable by its user alone", async (t) => {
    const folder = join(await temporaryFolder(t), "ledger");
    const version = await fileLedger(folder).create("a/b", "1", context);
    const modes = [folder, join(folder, "a"), join(folder, "a/b@"), join(folder, "a/b@", `f.${version}`)].map(
      (path) => statSync(path).mode & 0o777,
    );
    assert.deepEqual(modes, [0o700, 0o700, 0o700, 0o600]);
  });

  it("says that it was cancelled, and that a path is a file", async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, "file"), "");
    await assert.rejects(fileLedger(join(folder, "file/below")).create("a", "1", context), { code: "INVALID" });
    await assert.rejects(fileLedger(folder).read("a", testContext({ signal: AbortSignal.abort() })), {
      code: "CANCELLED",
    });
  });
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pctl-ledger-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
