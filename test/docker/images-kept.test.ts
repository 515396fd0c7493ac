// As many built images stay as releases, and a build that fails is told in full.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tagImage } from "@ctrlplane/images";
import { dockerSocket } from "../engines/docker.ts";
import { engineAt, ImageStack } from "./images-stack.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };

async function create(): Promise<ImageStack> {
  const stack = await ImageStack.create(engineAt(socket));
  await stack.project.write({
    "pctl.yaml": `
name: ${stack.name}
keep: 3
provider: here
providers: { here: { type: docker, options: { socket: ${socket} } } }
services:
  web: { image: ./web, health: { command: "true", interval: 500ms }, stop: { grace: 1 } }
`,
  });
  return stack;
}

test(
  "keep: 3 and six deploys: three images, each of which a rollback brings back; destroy removes them",
  options,
  async () => {
    await using stack = await create();
    await using other = await create();
    const { project } = stack;
    const [engine] = stack.engines;
    const [lasting] = other.engines;
    assert.ok(engine !== undefined && lasting !== undefined);
    const images: string[] = [];
    for (const number of [1, 2, 3, 4, 5, 6]) {
      await stack.content(`v${number}`);
      await project.ok("deploy", "--yes");
      images.push((await stack.containers(engine))["web"] ?? "");
      if (number === 1) {
        // Another stack has the same image, and rolls on: only its history needs it.
        await other.project.write({
          "web/Dockerfile": await project.read("web/Dockerfile"),
          "web/word": await project.read("web/word"),
        });
        await other.project.ok("deploy", "--yes");
        await other.content("elsewhere");
        await other.project.ok("deploy", "--yes");
      }
      // The user's own name for one of ours.
      if (number === 2) await tagImage(engine, images[1] ?? "", `ctrlplane-kept:${stack.name}`);
    }
    assert.equal(new Set(images).size, 6);
    const [first = "", , , ...kept] = images;
    const expected = [first, `ctrlplane-kept:${stack.name}`, ...kept];
    assert.deepEqual(await stack.images(engine), expected.toSorted());

    await project.ok("rollback", "web", "--to", "4", "--yes");
    assert.equal((await stack.containers(engine))["web"], images[3]);
    await project.ok("rollback", "web", "--to", "5", "--yes");
    assert.equal((await stack.containers(engine))["web"], images[4]);
    assert.deepEqual(await stack.images(engine), expected.toSorted());
    await other.project.ok("rollback", "--yes");
    assert.equal((await other.containers(lasting))["web"], first);

    await project.ok("destroy", "--yes");
    assert.deepEqual(await stack.images(engine), [first, `ctrlplane-kept:${stack.name}`].toSorted());
    assert.deepEqual(await stack.roles(engine), ["ledger"]);
    await other.project.ok("destroy", "--yes");
    assert.deepEqual(await stack.images(engine), [`ctrlplane-kept:${stack.name}`]);
    assert.deepEqual(await other.images(lasting), []);
  },
);

test("a service that left the file comes back by a rollback, with its image", options, async () => {
  await using stack = await create();
  const { project } = stack;
  const [engine] = stack.engines;
  assert.ok(engine !== undefined);
  await stack.content("one");
  const declared = await project.read("pctl.yaml");
  await project.ok("deploy", "--yes");
  const before = await stack.containers(engine);
  await project.write({
    "pctl.yaml": `${declared.split("services:")[0]}services: { db: { image: busybox, command: [sleep, "10000"], stop: { grace: 1 } } }\n`,
  });
  await project.ok("deploy", "--yes");
  assert.deepEqual(Object.keys(await stack.containers(engine)), ["db"]);
  await project.ok("rollback", "--yes");
  assert.deepEqual(await stack.containers(engine), before);
  await project.write({ "pctl.yaml": declared });
  await project.ok("destroy", "--yes");
  assert.deepEqual([await stack.images(engine), await stack.roles(engine)], [[], ["ledger"]]);
});

test(
  "a service that moved away comes back by a rollback; its images go once newer releases have taken their place",
  options,
  async () => {
    await using stack = await create();
    await using other = await create();
    const { project } = stack;
    const [engine] = stack.engines;
    assert.ok(engine !== undefined);
    const declare = (provider: string): Promise<void> =>
      project.write({
        "pctl.yaml": `
name: ${stack.name}
keep: 2
providers:
  here: { type: docker, options: { socket: ${socket} } }
  machine: { type: local, options: { dir: ../machine } }
services:
  web: { image: ./web, provider: ${provider}${provider === "machine" ? ', command: [sleep, "10000"]' : ""}, stop: { grace: 1 } }
`,
      });
    const deploy = async (provider: string, word: string): Promise<void> => {
      await declare(provider);
      await stack.content(word);
      await project.ok("deploy", "--yes");
    };
    try {
      await deploy("here", "one");
      // Another stack has one of the two images.
      await other.project.write({
        "web/Dockerfile": await project.read("web/Dockerfile"),
        "web/word": await project.read("web/word"),
      });
      await other.project.ok("deploy", "--yes");
      await deploy("here", "two");
      const before = await stack.containers(engine);
      const images = await stack.images(engine);
      assert.equal(images.length, 2);

      await deploy("machine", "two");
      assert.deepEqual([await stack.containers(engine), await stack.images(engine)], [{}, images]);
      await project.ok("rollback", "--yes");
      assert.deepEqual(await stack.containers(engine), before);
      await project.ok("deploy", "--yes");
      assert.deepEqual([await stack.containers(engine), await stack.images(engine)], [{}, images]);

      await deploy("machine", "three");
      await deploy("machine", "four");
      assert.deepEqual(await stack.images(engine), Object.values(await other.containers(engine)));
      assert.deepEqual(await stack.roles(engine), ["ledger"]);
      await deploy("here", "two");
      assert.deepEqual(await stack.containers(engine), before);
      await other.project.ok("destroy", "--yes");
      await project.ok("destroy", "--yes");
      assert.deepEqual(await stack.images(engine), []);
    } finally {
      const { root } = project;
      await project.expect(0, ["local", "stop", "--yes"], { env: { PCTL_LOCAL_DIR: `${root}/machine` } });
    }
  },
);

test("a build that fails is told with its step and its last lines, and what serves goes on", options, async () => {
  await using stack = await create();
  const { project } = stack;
  const [engine] = stack.engines;
  assert.ok(engine !== undefined);
  await stack.content("one");
  await project.ok("deploy", "--yes");
  const before = await stack.containers(engine);
  await stack.content("two", ["RUN seq 1 30; echo no such package; exit 7"]);
  const said = await project.expect(3, ["deploy", "--yes"]);
  console.log(said);
  assert.match(said, /✗ build .*RUN seq 1 30/);
  assert.match(said, /pctl\.yaml:\d+:\d+: web .*could not be built: \[.*\] RUN seq 1 30; .*: exit code 7/);
  assert.match(said, /exit +code 7/);
  assert.match(said, /log +12\n(?: +\d+\n){18} +no such package/);
  assert.match(said, /✓ web +release 1 serves; nothing was begun/);
  assert.deepEqual(await stack.containers(engine), before);
});
