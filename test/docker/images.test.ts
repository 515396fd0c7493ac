// Images are built on a real engine, by both of its builders.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { isCtrlPlaneError, type BuildSpec, type CtrlPlaneError } from "@ctrlplane/core/provider";
import {
  buildImage,
  buildSource,
  connectEngine,
  contentLabel,
  listBuilt,
  readContext,
  removeBuilt,
  segment,
  tagImage,
  unlessMissing,
  type BuildOptions,
  type BuildProgress,
  type EngineClient,
} from "@ctrlplane/images";
import { dockerSocket } from "../engines/docker.ts";

const socket = await dockerSocket();
const skip = socket === undefined ? "missing: Docker Engine" : false;

/** Makes every content one that no run before has built. */
const unique = `${process.pid}-${Date.now()}`;

async function workbench(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-images-"));
  const engine = connectEngine({ kind: "socket", path: socket ?? "" });
  const made = new Set<string>();
  t.after(async () => {
    for (const id of made)
      await unlessMissing(engine.json({ method: "DELETE", path: `/images/${segment(id)}`, query: { force: true } }));
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const put = async (files: Readonly<Record<string, string>>) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  };
  const read = async (spec: Partial<BuildSpec> = {}) => {
    const build = { context: join(folder, "web"), args: {}, secrets: [], ...spec };
    const source = await buildSource({ kind: "build", build }, folder);
    assert.ok(source !== undefined);
    return readContext(source);
  };
  const build = async (spec: Partial<BuildSpec> = {}, options: BuildOptions = {}) => {
    const image = await buildImage(engine, await read(spec), options);
    made.add(image.id);
    return image;
  };
  await put({ "web/unique": unique });
  return { folder, engine, put, read, build };
}

async function failureOf(work: Promise<unknown>): Promise<CtrlPlaneError> {
  try {
    await work;
  } catch (error) {
    assert.ok(isCtrlPlaneError(error), String(error));
    return error;
  }
  throw new Error("it was built");
}

/** Lines that steps wrote. */
function outputOf(progress: readonly BuildProgress[]): readonly string[] {
  return progress.flatMap((each) => (each.kind === "output" ? [each.text] : []));
}

async function labelsOf(engine: EngineClient, id: string) {
  const found = await engine.json<{ readonly Config: { readonly Labels: Readonly<Record<string, string>> } }>({
    method: "GET",
    path: `/images/${segment(id)}/json`,
  });
  return found.Config.Labels;
}

for (const builder of ["buildkit", "classic"] as const) {
  describe(`the ${builder} builder`, { skip }, () => {
    test("builds what the .dockerignore leaves, with arguments as they are, and does it once", async (t) => {
      const { engine, put, build } = await workbench(t);
      const value = `it's $(touch /x) "quoted" \${HOME} ü`;
      await put({
        "web/Dockerfile": `FROM busybox AS base\nARG WHAT\nCOPY . /app/\nRUN echo "$WHAT"; cd /app; find . | sort\nFROM base AS run\nRUN echo never`,
        "web/.dockerignore": "*\n!src\nsrc/*.log\n!unique",
        "web/src/main.js": "main()",
        "web/src/a.log": "",
        "web/secret.txt": "",
      });
      const progress: BuildProgress[] = [];
      const another: BuildProgress[] = [];
      const spec = { args: { WHAT: value }, target: "base" };
      const [first, second] = await Promise.all([
        build(spec, { builder, onProgress: (each) => progress.push(each) }),
        build(spec, { builder, onProgress: (each) => another.push(each) }),
      ]);
      assert.deepEqual(second, first, "two at a time are one build");
      assert.deepEqual(another, progress);
      assert.deepEqual(outputOf(progress), [value, ".", "./src", "./src/main.js", "./unique"]);
      assert.equal(first.wasThere, false);
      assert.equal(first.tag, `pctl-local:${first.digest.slice("sha256:".length)}`);
      const { [contentLabel]: content, "managed-by": by } = await labelsOf(engine, first.id);
      assert.deepEqual([content, by], [first.digest, "pctl"]);

      // It is found by its label, under whatever name; and has ours again.
      const kept = { repo: "ctrlplane-images-kept", tag: `${builder}-${unique}` };
      await engine.json({ method: "POST", path: `/images/${segment(first.id)}/tag`, query: kept });
      await engine.json({ method: "DELETE", path: `/images/${first.tag}` });
      const again = await build(spec, { builder, onProgress: () => assert.fail("built again") });
      assert.deepEqual(again, { ...first, wasThere: true });
      assert.equal((await labelsOf(engine, first.tag))[contentLabel], first.digest);
    });

    test("files keep their times, which change no hash", async (t) => {
      const { folder, put, read, build } = await workbench(t);
      await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\nRUN stat -c %Y /app/unique\n" });
      const before = await read();
      await utimes(join(folder, "web/unique"), 981_173_106, 981_173_106);
      assert.equal((await read()).digest, before.digest);
      const progress: BuildProgress[] = [];
      await build({}, { builder, onProgress: (each) => progress.push(each) });
      assert.deepEqual(outputOf(progress), ["981173106"]);
    });

    test("a step that fails is told with its exit code and its last lines", async (t) => {
      const { put, build } = await workbench(t);
      await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\nRUN seq 1 30; echo no; exit 3\n" });
      const error = await failureOf(build({}, { builder }));
      assert.equal(error.code, "FAILED");
      assert.match(
        error.message,
        /^\.\/web could not be built: \[.*3\/\d\] RUN seq 1 30; echo no; exit 3: exit code 3$/,
      );
      assert.equal(error.failure?.exitCode, 3);
      assert.deepEqual(error.failure?.logTail, [...Array.from({ length: 19 }, (_, each) => `${each + 12}`), "no"]);
    });

    test("a Dockerfile that lies elsewhere or is ignored is used and not seen", async (t) => {
      const { folder, put, build } = await workbench(t);
      const list = "FROM busybox\nCOPY . /app/\nRUN cd /app; find . -type f | sort";
      await put({ "web/Dockerfile": "FROM scratch", "Other.Dockerfile": list, "web/.dockerignore": ".dockerignore" });
      const lines = async (spec: Partial<BuildSpec>) => {
        const progress: BuildProgress[] = [];
        await build(spec, { builder, onProgress: (each) => progress.push(each) });
        return outputOf(progress);
      };
      const elsewhere = { dockerfile: join(folder, "Other.Dockerfile") };
      assert.deepEqual(await lines(elsewhere), ["./Dockerfile", "./unique"]);
      await put({ "web/Dockerfile": `${list}; true`, "web/.dockerignore": ".dockerignore\nDockerfile" });
      assert.deepEqual(await lines({}), ["./unique"]);
    });

    test("what the Dockerfile says wrong, and an image that is not there", async (t) => {
      const { put, build } = await workbench(t);
      await put({ "web/Dockerfile": "FROM busybox\nWORK /app\n" });
      const wrong = await failureOf(build({}, { builder }));
      assert.ok(["FAILED", "INVALID"].includes(wrong.code), wrong.code);
      assert.match(wrong.message, /unknown instruction: WORK/i);
      await put({ "web/Dockerfile": "FROM localhost:1/ctrlplane/nothing:1\n" });
      const missing = await failureOf(build({}, { builder }));
      assert.deepEqual([missing.code, missing.failure?.verdict], ["FAILED", "IMAGE_PULL"], missing.message);
    });

    test("a build that nobody waits for any more ends", async (t) => {
      const { put, build } = await workbench(t);
      await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\nRUN echo sleeping; sleep 60\n" });
      const abort = new AbortController();
      const onProgress = (each: BuildProgress) => {
        if (each.kind === "output") abort.abort();
      };
      const error = await failureOf(build({}, { builder, signal: abort.signal, onProgress }));
      assert.equal(error.code, "CANCELLED");
    });

    test("a file that changes after the plan is refused", async (t) => {
      const { engine, put, read } = await workbench(t);
      await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\n", "web/a": "one" });
      const context = await read();
      await put({ "web/a": "two" });
      const error = await failureOf(buildImage(engine, context, { builder }));
      assert.deepEqual([error.code, error.message], ["CONFLICT", "a in ./web changed while it was read"]);
    });
  });
}

test("BuildKit mounts secrets and caches, and an image holds neither", { skip }, async (t) => {
  const { engine, put, build } = await workbench(t);
  const secret = `it's "secret"\n\u0000\n${unique} ü`;
  await put({
    "web/Dockerfile":
      "FROM busybox\nCOPY . /app\nRUN --mount=type=secret,id=TOKEN --mount=type=cache,target=/cache sha256sum </run/secrets/TOKEN; touch /cache/x\n",
  });
  const spec = { secrets: ["TOKEN"] };
  assert.equal((await failureOf(build(spec))).code, "INVALID");
  assert.equal((await failureOf(build(spec, { secrets: { TOKEN: secret }, builder: "classic" }))).code, "UNSUPPORTED");
  const progress: BuildProgress[] = [];
  const image = await build(spec, { secrets: { TOKEN: secret }, onProgress: (each) => progress.push(each) });
  assert.deepEqual(outputOf(progress), [`${createHash("sha256").update(secret).digest("hex")}  -`]);
  const history = await engine.json({ method: "GET", path: `/images/${segment(image.id)}/history` });
  assert.ok(!JSON.stringify(history).includes(unique));
});

test("what we built is listed, and removed unless a container uses it or it has another name", { skip }, async (t) => {
  const { engine, put, build } = await workbench(t);
  await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\n" });
  const image = await build();
  const listed = async () => (await listBuilt(engine)).find((each) => each.digest === image.digest);
  const seen = await listed();
  assert.equal(seen?.id, image.id);
  assert.ok(Math.abs(Date.now() - (seen?.createdMs ?? 0)) < 3_600_000, String(seen?.createdMs));
  const name = `ctrlplane-images-${unique}`;
  await engine.json({
    method: "POST",
    path: "/containers/create",
    query: { name },
    body: { Image: image.tag, Cmd: ["true"] },
  });
  assert.equal(await removeBuilt(engine, image), false);
  assert.notEqual(await listed(), undefined);
  await engine.json({ method: "DELETE", path: `/containers/${name}` });

  const other = { repo: "ctrlplane-images-other", tag: unique };
  await engine.json({ method: "POST", path: `/images/${segment(image.id)}/tag`, query: other });
  assert.equal(await removeBuilt(engine, image), true);
  assert.equal((await listed())?.id, image.id, "the other name holds it");
  await tagImage(engine, image.id, image.tag);
  await engine.json({ method: "DELETE", path: `/images/${other.repo}:${other.tag}` });
  assert.equal(await removeBuilt(engine, image), true);
  assert.equal(await listed(), undefined);
  assert.equal(await removeBuilt(engine, image), true, "absent is gone");
});

test("heredocs work where the engine's BuildKit has them", { skip }, async (t) => {
  const { engine, put, build } = await workbench(t);
  await put({ "web/Dockerfile": "FROM busybox\nCOPY . /app\nRUN <<END\necho one\necho two\nEND\n" });
  const progress: BuildProgress[] = [];
  const work = build({}, { onProgress: (each) => progress.push(each) });
  if (Number((await engine.version()).engine.split(".")[0]) >= 23) {
    await work;
    assert.deepEqual(outputOf(progress), ["one", "two"]);
  } else {
    // Its own frontend is older than they are; `# syntax=docker/dockerfile:1` fetches a newer one.
    assert.match((await failureOf(work)).message, /unknown instruction: ECHO/i);
  }
});
