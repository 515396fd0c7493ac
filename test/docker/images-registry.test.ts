// Images go to a real registry with a password and come back.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import {
  buildImage,
  buildSource,
  connectEngine,
  ensureImage,
  findLogin,
  identifyImage,
  pullImage,
  pushImage,
  readContext,
  segment,
  tagImage,
  unlessMissing,
  type BuildOptions,
  type TransferProgress,
} from "@ctrlplane/images";
import { dockerSocket } from "../engines/docker.ts";
import { registryUser, startRegistry } from "./images-registry.support.ts";

const socket = await dockerSocket();
const skip = socket === undefined ? "missing: Docker Engine" : false;

async function workbench(t: TestContext) {
  const host = await startRegistry(t);
  const engine = connectEngine({ kind: "socket", path: socket ?? "" });
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-images-"));
  const env = { DOCKER_CONFIG: folder };
  const made = new Set<string>();
  t.after(async () => {
    for (const name of made) await remove(name);
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const remove = (name: string) =>
    unlessMissing(engine.json({ method: "DELETE", path: `/images/${segment(name)}`, query: { force: true } }));
  /** Of bytes that no other image has. */
  const build = async (dockerfile: string, options: BuildOptions = {}) => {
    const web = join(folder, host.replace(":", "-"));
    await mkdir(web, { recursive: true });
    await writeFile(join(web, "Dockerfile"), dockerfile);
    await writeFile(join(web, "data"), `${host}\n${"x".repeat(200_000)}`);
    const source = await buildSource({ kind: "path", path: web, declared: "./web" }, folder);
    assert.ok(source !== undefined);
    const image = await buildImage(engine, await readContext(source), { login, ...options });
    made.add(image.tag);
    return image;
  };
  const login = findLogin({ url: `http://${host}`, ...registryUser }, env);
  const anonymous = findLogin(undefined, env);
  return { host, engine, folder, env, made, remove, build, login, anonymous };
}

const withCode = (code: string) => (error: unknown) => {
  assert.ok(isCtrlPlaneError(error), String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

test("pushed with a password, pinned by digest without a pull, pulled where it is missing", { skip }, async (t) => {
  const { host, engine, folder, env, made, remove, build, login, anonymous } = await workbench(t);
  const image = await build("FROM busybox\nCOPY data /data\n");
  const name = `${host}/team/app:1.2`;
  await tagImage(engine, image.id, name);

  await assert.rejects(pushImage(engine, name, { login: anonymous }), withCode("UNAUTHORIZED"));
  const wrong = findLogin({ url: host, username: "ctrlplane", password: "wrong" }, env);
  await assert.rejects(pushImage(engine, name, { login: wrong }), withCode("UNAUTHORIZED"));
  const progress: TransferProgress[] = [];
  const digest = await pushImage(engine, name, { login, onProgress: (each) => progress.push(each) });
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  const last = progress.at(-1);
  assert.ok(last !== undefined && last.layers > 0 && last.done === last.layers, JSON.stringify(last));
  await assert.rejects(pushImage(engine, `${host}/team/other:1`, { login }), withCode("NOT_FOUND"));

  const pinned = { digest, declared: name, reference: `${host}/team/app@${digest}` };
  assert.deepEqual(await identifyImage(engine, name), pinned, "the engine knows it");
  await remove(name);
  await remove(image.tag);
  await assert.rejects(identifyImage(engine, name, { login: anonymous }), withCode("UNAUTHORIZED"));
  assert.deepEqual(await identifyImage(engine, name, { login }), pinned, "the registry knows it");
  await assert.rejects(identifyImage(engine, `${host}/team/app:9`, { login }), withCode("INVALID"));
  assert.deepEqual(await identifyImage(engine, `${host}/team/app@${digest}`), {
    ...pinned,
    declared: `${host}/team/app@${digest}`,
  });

  await assert.rejects(pullImage(engine, name, { login: anonymous }), withCode("UNAUTHORIZED"));
  await assert.rejects(pullImage(engine, `${host}/team/app:9`, { login }), withCode("NOT_FOUND"));
  // What the docker CLI keeps serves as well.
  const auth = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  made.add(`${host}/team/app@${digest}`);
  assert.equal(await ensureImage(engine, pinned, { login: anonymous }), image.id);
  assert.equal(await ensureImage(engine, pinned), image.id, "it is there: nobody is asked");
});

test("a build fetches what its Dockerfile names with the same logins", { skip }, async (t) => {
  const { host, engine, made, remove, build, login, anonymous } = await workbench(t);
  const base = await build("FROM busybox\nCOPY data /base\n");
  const name = `${host}/base:1`;
  await tagImage(engine, base.id, name);
  await pushImage(engine, name, { login });
  await remove(name);
  await remove(base.tag);
  for (const builder of ["buildkit", "classic"] as const) {
    const dockerfile = `FROM ${name}\nRUN test -s /base; echo ${builder}\n`;
    await assert.rejects(build(dockerfile, { builder, login: anonymous }), (error) => {
      return isCtrlPlaneError(error) && error.failure?.verdict === "IMAGE_PULL";
    });
    const broken = () => Promise.reject(new CtrlPlaneError("UNAUTHORIZED", "no helper"));
    await assert.rejects(build(dockerfile, { builder, login: broken }), withCode("UNAUTHORIZED"));
    made.add(name);
    assert.equal((await build(dockerfile, { builder })).wasThere, false);
    await remove(name);
  }
});

test("an image that no registry knows is pinned by its id", { skip }, async (t) => {
  const { engine, build } = await workbench(t);
  const image = await build("FROM busybox\nCOPY data /data\n");
  const pinned = await identifyImage(engine, image.tag);
  assert.deepEqual(pinned, { digest: image.id, declared: image.tag, reference: image.id });
  assert.equal(await ensureImage(engine, pinned), image.id);
  const gone = { declared: "app", reference: `sha256:${"0".repeat(64)}` };
  await assert.rejects(ensureImage(engine, gone), withCode("NOT_FOUND"));
  await assert.rejects(identifyImage(engine, "localhost:1/nothing:1"), withCode("UNAVAILABLE"));
});
