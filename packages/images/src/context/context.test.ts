import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError, type BuildSpec } from "@ctrlplane/core/provider";
import { buildSource } from "./build-source.ts";
import { pinnedContext } from "./pinned-context.ts";
import { readContext } from "./read-context.ts";
import { tarOf } from "./tar.ts";

async function workbench(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-context-"));
  t.after(() => rm(folder, { recursive: true }));
  const put = async (path: string, content = "") => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  await put("web/Dockerfile", "FROM busybox\n");
  await put("web/server.js", "listen()");
  const source = async (build: Partial<BuildSpec> = {}) => {
    const spec = { context: join(folder, "web"), args: {}, secrets: [], ...build };
    const found = await buildSource({ kind: "build", build: spec }, folder);
    assert.ok(found !== undefined);
    return found;
  };
  const read = async (build: Partial<BuildSpec> = {}) =>
    readContext(await source(build), { cacheDir: join(folder, "cache") });
  const paths = async (build: Partial<BuildSpec> = {}) => (await read(build)).entries.map((each) => each.path);
  return { folder, web: join(folder, "web"), put, read, paths };
}

/** Its code and message, so that a test compares what a user reads. */
async function problem(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!isCtrlPlaneError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return "nothing thrown";
}

test("a folder is a context, a file a Dockerfile, and build says both", async (t) => {
  const { folder, web } = await workbench(t);
  const plain = { args: {}, secrets: [] };
  assert.deepEqual(await buildSource({ kind: "path", path: web, declared: "./web" }, folder), {
    context: web,
    dockerfile: join(web, "Dockerfile"),
    declared: "./web",
    ...plain,
  });
  const file = join(web, "Dockerfile");
  assert.deepEqual(await buildSource({ kind: "path", path: file, declared: "./web/Dockerfile" }, folder), {
    context: folder,
    dockerfile: file,
    declared: "./web/Dockerfile",
    ...plain,
  });
  const build = { context: web, args: { A: "1" }, secrets: ["TOKEN"], target: "run", platform: "linux/arm64" };
  assert.deepEqual(await buildSource({ kind: "build", build }, folder), {
    ...build,
    dockerfile: file,
    declared: "./web",
  });
  assert.equal(await buildSource({ kind: "reference", reference: "busybox" }, folder), undefined);
});

test("what cannot be built is refused by name", async (t) => {
  const { folder, web, put } = await workbench(t);
  const at = (path: string) => problem(buildSource({ kind: "path", path, declared: "./it" }, folder));
  const build = (spec: Partial<BuildSpec>) =>
    problem(buildSource({ kind: "build", build: { context: web, args: {}, secrets: [], ...spec } }, folder));
  await put("empty/x");
  assert.equal(await at(join(folder, "empty")), "INVALID: ./it has no Dockerfile");
  assert.equal(await build({ dockerfile: join(web, "Other") }), "INVALID: ./web has no Other");
  assert.equal(await build({ dockerfile: web }), "INVALID: ./web has no .: that is a folder");
  assert.equal(
    await build({ context: join(web, "server.js") }),
    "INVALID: the build context ./web/server.js is a file",
  );
  assert.equal(await build({ context: join(folder, "no") }), "INVALID: ./no does not exist");
});

test("path, mode and bytes count, and what the build is told; time does not", async (t) => {
  const { web, put, read } = await workbench(t);
  const first = await read();
  assert.deepEqual([first.bytes, first.files], [21, 2]);
  assert.match(first.digest, /^sha256:[0-9a-f]{64}$/);
  await utimes(join(web, "server.js"), 1, 1);
  assert.equal((await read()).digest, first.digest);
  const digests = new Set([first.digest]);
  const another = async (what: string, build: Partial<BuildSpec> = {}) => {
    const { digest } = await read(build);
    assert.ok(!digests.has(digest), what);
    digests.add(digest);
  };
  await put("web/server.js", "LISTEN()");
  await another("equal size, other bytes");
  await chmod(join(web, "server.js"), 0o755);
  await another("mode");
  await mkdir(join(web, "empty"));
  await another("an empty folder");
  await symlink("server.js", join(web, "link"));
  await another("a link");
  await another("arguments", { args: { A: "1" } });
  await another("target", { target: "run" });
  await another("platform", { platform: "linux/arm64" });
  await put("Other", "FROM busybox\nRUN true\n");
  await another("the Dockerfile, also outside of the context", { dockerfile: join(web, "../Other") });
  assert.equal((await read({ args: { A: "1", B: "2" } })).digest, (await read({ args: { B: "2", A: "1" } })).digest);
});

test("state of ours stays out at any depth", async (t) => {
  const { put, read, paths } = await workbench(t);
  const before = await read();
  await put("web/pctl.shop.json", "{}");
  await put("web/.pctl/cache", "x");
  assert.equal((await read()).digest, before.digest);
  await put("web/sub/pctl.shop.json", "{}");
  await put("web/data/platform.json", JSON.stringify({ platformId: "local_abc" }));
  await put("web/pctl.yaml", "name: shop");
  assert.deepEqual(await paths(), ["Dockerfile", "pctl.yaml", "server.js", "sub"]);
});

test("the ignore file beside the Dockerfile wins; folders stay where something in them does", async (t) => {
  const { web, put, paths, read } = await workbench(t);
  for (const each of ["a/b/c", "a/b/d", "a.txt", "x/y", "z/keep/1", "z/2"]) await put(`web/${each}`);
  await put("web/.dockerignore", "*\n!a/b/c\n!**/keep");
  const ignoring = await read();
  assert.deepEqual(
    ignoring.entries.map((each) => each.path),
    ["a", "a/b", "a/b/c", "z", "z/keep", "z/keep/1"],
  );
  assert.equal(ignoring.dockerfile.path, undefined, "an ignored Dockerfile is sent all the same");
  assert.equal(ignoring.dockerfile.content.toString(), "FROM busybox\n");
  await put("web/a/b/d", "ignored");
  assert.equal((await read()).digest, ignoring.digest);
  await put("web/Dockerfile.dockerignore", "a\nz\n.dockerignore\n*.dockerignore");
  assert.deepEqual(await paths(), ["Dockerfile", "a.txt", "server.js", "x", "x/y"]);
  await put("web/Dockerfile.dockerignore", "[");
  assert.match(await problem(paths()), /^INVALID: Dockerfile\.dockerignore:1: "\[" is no pattern/);
  await put("web/Dockerfile.dockerignore", "pipe");
  execFileSync("mkfifo", [join(web, "pipe"), join(web, "pipe2")]);
  assert.equal(await problem(paths()), "INVALID: pipe2 in ./web is a pipe, which cannot be part of an image");
});

test("tar can read the tar; long and foreign names, modes and times are in it", async (t) => {
  const { folder, web, put, read } = await workbench(t);
  const long = `${"deep/".repeat(30)}${"n".repeat(120)}`;
  await put(`web/${long}`, "far");
  await put("web/ünï", "é");
  await chmod(join(web, "server.js"), 0o4755);
  await symlink("ü".repeat(90), join(web, "link"));
  await utimes(join(web, "server.js"), 981_173_106.789, 981_173_106.789);
  const first = await buffer(tarOf(await read()));
  assert.ok(first.equals(await buffer(tarOf(await read(), []))));
  await writeFile(join(folder, "it.tar"), first);
  const listed = execFileSync("tar", ["-tvf", join(folder, "it.tar"), "--utc"], { env: { LC_ALL: "C.UTF-8" } })
    .toString()
    .trim()
    .split("\n");
  assert.equal(listed.length, (await read()).entries.length);
  assert.ok(listed.includes("-rwsr-xr-x 0/0               8 2001-02-03 04:05 server.js"), listed.join("\n"));
  assert.ok(listed.some((line) => line.endsWith(` link -> ${"ü".repeat(90)}`)));
  await mkdir(join(folder, "out"));
  execFileSync("tar", ["-xf", join(folder, "it.tar"), "-C", join(folder, "out")]);
  execFileSync("diff", ["-r", "--no-dereference", web, join(folder, "out")]);
});

test("a file that changes between hash and tar fails the stream", async (t) => {
  const { put, read } = await workbench(t);
  for (const before of ["listen()", "x".repeat(400_000)]) {
    await put("web/server.js", before);
    const context = await read();
    for (const after of [before.toUpperCase(), `${before} and more`, before.slice(1)]) {
      await put("web/server.js", after);
      assert.equal(await problem(buffer(tarOf(context))), "CONFLICT: server.js in ./web changed while it was read");
    }
    await put("web/server.js", before);
    assert.ok((await buffer(tarOf(context))).includes(before));
  }
});

test("a plan knows a context by its content", async (t) => {
  const { read } = await workbench(t);
  const context = await read();
  const source = { context: "./web", bytes: 21, files: 2, how: "build" };
  assert.deepEqual(pinnedContext(context), { digest: context.digest, declared: "./web", source });
});
