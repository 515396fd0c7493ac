// An image travels to another engine, of another version and over SSH, and back; BuildKit builds there.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  buildImage,
  buildSource,
  carryImage,
  connectEngine,
  readContext,
  segment,
  type BuildProgress,
  type CarryProgress,
  type EngineClient,
} from "@ctrlplane/images";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { dockerSocket } from "../engines/docker.ts";
import { endpointOf, requireHosts, skip } from "./reach.support.ts";

const unique = `${process.pid}-${Date.now()}`;

async function workbench(t: TestContext) {
  const here = connectEngine({ kind: "socket", path: (await dockerSocket()) ?? "" });
  const there = connectEngine(endpointOf(requireHosts()[0], "deploy"));
  const tags: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-images-"));
  t.after(async () => {
    for (const tag of tags.toReversed()) await forget(tag, here, there);
    await here.close();
    await there.close();
    await rm(folder, { recursive: true });
  });
  const build = async (
    engine: EngineClient,
    name: string,
    dockerfile: string,
    onProgress?: (p: BuildProgress) => void,
  ) => {
    const web = join(folder, name);
    await mkdir(web);
    await writeFile(join(web, "Dockerfile"), dockerfile);
    await writeFile(join(web, "data"), `${name} ${unique} `.repeat(100_000));
    const source = await buildSource({ kind: "path", path: web, declared: `./${name}` }, folder);
    assert.ok(source !== undefined);
    const image = await buildImage(engine, await readContext(source), onProgress === undefined ? {} : { onProgress });
    tags.push(image.tag);
    return image;
  };
  return { here, there, build };
}

async function forget(name: string, ...engines: readonly EngineClient[]): Promise<void> {
  for (const engine of engines) {
    await engine
      .json({ method: "DELETE", path: `/images/${segment(name)}`, query: { force: true } })
      .catch((error: unknown) => assert.match(String(error), /No such image/));
  }
}

test("over SSH to a newer engine and back, without the layers that are there", { skip }, async (t) => {
  const { here, there, build } = await workbench(t);
  const image = await build(here, "web", "FROM busybox\nCOPY data /data\nRUN echo small >/small\n");
  const progress: CarryProgress[] = [];
  const [one, two] = await Promise.all([
    carryImage(here, there, image.tag, { onProgress: (each) => progress.push(each) }),
    carryImage(here, there, image.tag),
  ]);
  assert.deepEqual(two, one, "two at a time are one transfer");
  assert.equal(one.id, image.id);
  // busybox, 2 MB, is on the host; the data of some 2 MB is not.
  assert.equal(one.sharedLayers, 1);
  const size = Buffer.byteLength(`web ${unique} `) * 100_000;
  assert.ok(one.bytes > size && one.bytes < size + 500_000, `${one.bytes} of ${size}`);
  assert.deepEqual(progress.at(-1), { bytes: one.bytes, totalBytes: one.bytes });
  assert.deepEqual(await carryImage(here, there, image.tag), { ...one, bytes: 0, sharedLayers: 3 });

  const next = await build(here, "web2", `FROM ${image.tag}\nRUN echo ${unique} >/more\n`);
  const second = await carryImage(here, there, next.tag);
  assert.deepEqual([second.id, second.sharedLayers], [next.id, 3]);
  assert.ok(second.bytes < 100_000, `${second.bytes}`);

  await forget(next.tag, here);
  const back = await carryImage(there, here, next.tag);
  assert.deepEqual([back.id, back.sharedLayers], [next.id, 3]);
  assert.ok(back.bytes < 100_000, `${back.bytes}`);
});

test("what the source lacks is told, and who waits no more ends it", { skip }, async (t) => {
  const { here, there, build } = await workbench(t);
  const withCode = (code: string) => (error: unknown) => isCtrlPlaneError(error) && error.code === code;
  await assert.rejects(carryImage(here, there, "ctrlplane-images-nothing:1"), withCode("NOT_FOUND"));
  const image = await build(here, "web3", "FROM busybox\nCOPY data /data\n");
  const abort = new AbortController();
  const onProgress = () => abort.abort();
  await assert.rejects(carryImage(here, there, image.tag, { onProgress, signal: abort.signal }), withCode("CANCELLED"));
  assert.equal((await carryImage(here, there, image.tag)).id, image.id, "the next one does it");
});

test("BuildKit of a newer engine builds over SSH, heredocs included", { skip }, async (t) => {
  const { there, build } = await workbench(t);
  const progress: BuildProgress[] = [];
  const dockerfile = "FROM busybox\nCOPY data /data\nRUN <<END\nwc -c </data\necho two\nEND\n";
  await build(there, "web4", dockerfile, (each) => progress.push(each));
  const lines = progress.flatMap((each) => (each.kind === "output" ? [each.text] : []));
  assert.deepEqual(lines, [`${Buffer.byteLength(`web4 ${unique} `) * 100_000}`, "two"]);
});
