import { strict as assert } from "node:assert";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { PinnedImage, ServiceSpec } from "@ctrlplane/core/provider";
import { imageStore } from "./image.ts";
import { snapshotStore } from "./snapshot.ts";
import { temporaryFolder, testContext, testIdentity, testSpec } from "./fixtures.test.support.ts";

async function workbench(t: TestContext) {
  const folder = await temporaryFolder(t);
  const [dir, web, cacheDir] = [join(folder, "data"), join(folder, "web"), join(folder, "cache")];
  await mkdir(web);
  await writeFile(join(web, "server.js"), "listen()");
  const snapshots = snapshotStore(dir);
  const images = imageStore(dir, snapshots, process.env);
  const instance = testIdentity("local_x");
  const context = testContext();
  return {
    folder,
    dir,
    web,
    snapshots,
    context,
    identify: (change: Partial<ServiceSpec> = {}) =>
      images.identify({ instance, spec: testSpec(web, change), cacheDir }, context),
    build: (image: PinnedImage, change: Partial<ServiceSpec> = {}) =>
      images.build({ instance, spec: testSpec(web, change), image }, context),
  };
}

/** Its code and summary, so that a test compares what a user reads. */
async function problem(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!isCtrlPlaneError(error)) throw error;
    assert.ok(error.hint !== undefined, `without a hint: ${error.message}`);
    return `${error.code}: ${error.message}`;
  }
  return "nothing thrown";
}

test("path, mode and bytes count, time does not", async (t) => {
  const { web, identify } = await workbench(t);
  const first = await identify();
  assert.deepEqual(first.source, { context: "./web", bytes: 8, files: 1, how: "snapshot" });
  const server = join(web, "server.js");
  await utimes(server, 1, 1);
  assert.equal((await identify()).digest, first.digest);
  await writeFile(server, "LISTEN()");
  const changed = await identify();
  assert.notEqual(changed.digest, first.digest, "equal size, other bytes");
  await chmod(server, 0o755);
  const executable = await identify();
  assert.notEqual(executable.digest, changed.digest);
  await mkdir(join(web, "tmp"));
  assert.notEqual((await identify()).digest, executable.digest, "an empty folder is content too");
});

test(".git, state of ours and what .pctlignore names stay out, nothing else", async (t) => {
  const { web, identify } = await workbench(t);
  await mkdir(join(web, "node_modules/left"), { recursive: true });
  await writeFile(join(web, "node_modules/left/index.js"), "");
  await writeFile(join(web, ".env"), "A=1");
  const before = await identify();
  assert.equal(before.source?.files, 3);
  await mkdir(join(web, ".git"));
  await writeFile(join(web, ".git/HEAD"), "ref");
  await mkdir(join(web, ".pctl"));
  await writeFile(join(web, ".pctl/cache"), "");
  await writeFile(join(web, "pctl.shop.json"), "{}");
  await mkdir(join(web, "data"));
  await writeFile(join(web, "data/platform.json"), JSON.stringify({ platformId: "local_abc" }));
  assert.equal((await identify()).digest, before.digest);
  await writeFile(join(web, ".pctlignore"), "*.log\n/tmp/\n");
  const ignoring = await identify();
  await mkdir(join(web, "tmp"));
  await writeFile(join(web, "tmp/x"), "");
  await writeFile(join(web, "node_modules/left/debug.log"), "");
  assert.equal((await identify()).digest, ignoring.digest);
});

test("links stay links: loops are harmless, those that lead out are told", async (t) => {
  const { web, identify, build, snapshots, context } = await workbench(t);
  await symlink("loop", join(web, "loop"));
  await symlink(".", join(web, "self"));
  await symlink("../elsewhere", join(web, "out"));
  const image = await identify();
  assert.deepEqual(
    context.warnings.map((each) => each.split(" ")[0]),
    ["out"],
  );
  await build(image);
  assert.equal(await readlink(join(snapshots.tree(image.digest), "self")), ".");
});

test("a snapshot is whole, exact and made once", async (t) => {
  const { web, dir, identify, build, snapshots } = await workbench(t);
  await mkdir(join(web, "bin"));
  await writeFile(join(web, "bin/run"), "#!/bin/sh\n", { mode: 0o755 });
  await chmod(join(web, "bin"), 0o550);
  const image = await identify();
  assert.deepEqual(await build(image), image);
  const tree = snapshots.tree(image.digest);
  assert.equal(await readFile(join(tree, "server.js"), "utf8"), "listen()");
  assert.equal((await stat(join(tree, "bin/run"))).mode & 0o777, 0o755);
  await writeFile(join(web, "server.js"), "changed()");
  await build(image);
  assert.equal(await readFile(join(tree, "server.js"), "utf8"), "listen()", "a release stays as it was");
  assert.deepEqual(await readdir(join(dir, "snapshots")), [image.digest.slice("sha256:".length)]);
});

test("what changed since the plan is refused, and nothing is left", async (t) => {
  const { web, dir, identify, build } = await workbench(t);
  const image = await identify();
  await writeFile(join(web, "server.js"), "changed()");
  assert.equal(await problem(build(image)), "CONFLICT: ./web is not what it was when the plan was made");
  await assert.rejects(readdir(join(dir, "snapshots")), { code: "ENOENT" });
});

test("a single file is its own command", async (t) => {
  const { web, identify, build, snapshots } = await workbench(t);
  const file = join(web, "server.js");
  const image = { kind: "path", path: file, declared: "./web/server.js" } as const;
  const alone: Partial<ServiceSpec> = { image };
  const spec = testSpec(web, alone);
  const { command: _, ...withoutCommand } = spec;
  const store = imageStore(join(web, "../data"), snapshots, process.env);
  const pin = () =>
    store.identify(
      { instance: testIdentity("local_x"), spec: withoutCommand, cacheDir: join(web, "../cache") },
      testContext(),
    );
  assert.equal(await problem(pin()), "INVALID: the command ./server.js is not executable");
  await chmod(file, 0o755);
  const pinned = await pin();
  await build(pinned, alone);
  assert.deepEqual(await readdir(snapshots.tree(pinned.digest)), ["server.js"]);
  assert.equal((await snapshots.find(pinned.digest))?.single, "server.js");
  assert.equal((await identify(alone)).digest, pinned.digest);
});

test("what can be no image is refused by name", async (t) => {
  const { web, folder, identify } = await workbench(t);
  const at = (path: string) => identify({ image: { kind: "path", path, declared: "./it" } });
  assert.equal(await problem(at(join(folder, "nowhere"))), "INVALID: ./it does not exist");
  await mkdir(join(folder, "empty"));
  assert.equal(await problem(at(join(folder, "empty"))), "INVALID: ./it holds no files");
  await symlink("ring", join(folder, "ring"));
  assert.equal(await problem(at(join(folder, "ring"))), "INVALID: ./it is a loop of links");
  execFileSync("mkfifo", [join(web, "queue")]);
  assert.equal(await problem(identify()), "INVALID: queue in ./web is a pipe, which cannot be copied");
  await rm(join(web, "queue"));
  assert.equal(
    await problem(identify({ command: { args: ["./missing"] } })),
    "INVALID: the command ./missing is not in the image",
  );
  assert.equal(
    await problem(identify({ command: { args: ["./server.js"] } })),
    "INVALID: the command ./server.js is not executable",
  );
  assert.equal(
    await problem(identify({ command: { args: ["no-such-program"] } })),
    "INVALID: the command no-such-program is not on this machine",
  );
});

test("a command below a link or a mount, and one on a relative PATH, may be there", async (t) => {
  const { web, identify } = await workbench(t);
  await symlink("elsewhere", join(web, "bin"));
  await mkdir(join(web, "tools"));
  await writeFile(join(web, "tools/serve"), "#!/bin/sh\n", { mode: 0o755 });
  await identify({ command: { args: ["bin/run"] } });
  await identify({ command: { args: ["./data/run"] }, volumes: [{ path: "data", readOnly: false }] });
  await identify({ command: { args: ["serve"] }, env: { PATH: "tools:/bin" } });
  await identify({ command: { args: ["tools/serve"] } });
  assert.match(await problem(identify({ command: { args: ["serve"] } })), /^INVALID: the command serve is not on/);
});

test("a folder without a command is refused with what to do", async (t) => {
  const { web } = await workbench(t);
  const { command: _, ...spec } = testSpec(web);
  const store = imageStore("/nowhere", snapshotStore("/nowhere"), process.env);
  const pin = store.identify(
    { instance: testIdentity("local_x"), spec, cacheDir: join(web, "../cache") },
    testContext(),
  );
  assert.equal(await problem(pin), "INVALID: the image is a folder, and nothing says what to run in it");
});

test("what does not fit on the disk is refused before a byte is copied", async (t) => {
  const { web, dir, identify, snapshots, context } = await workbench(t);
  const image = await identify();
  const content = { entries: [], digest: image.digest, bytes: 2 ** 60, files: 1, leaving: [] };
  const manifest = { v: 1, digest: image.digest, declared: "./web", bytes: content.bytes, files: 1 } as const;
  assert.match(
    await problem(snapshots.create(web, content, manifest, context)),
    /^QUOTA: no room for a copy of \.\/web: it needs 1152922 TB and 67\.1 MB to spare, and .* free$/,
  );
  assert.deepEqual(await readdir(join(dir, "snapshots")), []);
});

test("a large sparse file is sized and hashed without being held in memory", async (t) => {
  const { web, identify } = await workbench(t);
  await writeFile(join(web, "large"), "");
  await truncate(join(web, "large"), 300 * 1024 * 1024);
  const before = process.memoryUsage().rss;
  assert.equal((await identify()).source?.bytes, 300 * 1024 * 1024 + 8);
  assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024);
});

test("unused snapshots go after an hour, used ones stay", async (t) => {
  const { web, dir, identify, build, snapshots } = await workbench(t);
  const first = await identify();
  await build(first);
  await writeFile(join(web, "server.js"), "second()");
  const second = await identify();
  await build(second);
  const now = Date.now();
  await snapshots.prune(new Set(), now);
  assert.equal((await readdir(join(dir, "snapshots"))).length, 2, "a deploy elsewhere may be about to use them");
  await snapshots.prune(new Set([second.digest]), now + 2 * 60 * 60 * 1000);
  assert.deepEqual(await readdir(join(dir, "snapshots")), [second.digest.slice("sha256:".length)]);
});
