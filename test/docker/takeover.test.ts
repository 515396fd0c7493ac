import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { dockerSocket } from "../engines/docker.ts";
import { endpointOf, hosts } from "./reach.support.ts";
import { OldStack, type OldServices } from "./takeover.support.ts";
import { freePort } from "../free-port.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };
const here = (): Promise<OldStack> => OldStack.create({ kind: "socket", path: socket ?? "" }, { socket });

const one = { scale: { replica: 1 } } as const;

test(
  "all that pctl 1.1 runs is unchanged; one deploy takes its place, with its data, and leaves none of it",
  options,
  async () => {
    await using stack = await here();
    const [webPort, apiPort] = [await freePort(), await freePort()];
    await stack.image(stack.worker);
    const services = (word: string): OldServices => ({
      web: {
        image: "./Dockerfile",
        scale: { replica: 1, cpu: "250m", memory: "64Mi" },
        env: { WORD: word },
        ports: [`${webPort}:3000`],
        volumes: [{ path: "/data" }, { path: "/uploads" }],
        health: { interval: 1, command: "test -d /data" },
      },
      api: { image: "./Dockerfile", ...one, env: { WORD: word }, ports: [`${apiPort}:3000`] },
      work: { image: stack.worker, scale: { replica: [1, 2] }, env: { WORD: word }, volumes: [{ path: "/data" }] },
      idle: { image: stack.worker, ...one },
    });
    await stack.declare(services("old"));
    await stack.deployed(services("old"));
    const gone = { ...stack.entry("gone", { image: stack.worker, ...one }, stack.worker, 1), destroyed: true };
    await stack.writeState({ ...(await stack.state()), [`${stack.name}-gone`]: gone });
    const before = await stack.state();
    const images = ["web", "api"].map((each) => String(before[`${stack.name}-${each}`]?.["image"]));
    await healthy(stack, "web");

    const unchanged = await stack.project.ok("plan", "--exit-code");
    assert.equal(unchanged.match(/unchanged, skipping/g)?.length, 4, unchanged);
    assert.match(await stack.project.ok("status"), /work +docker +serving +- +2 of 2/);
    assert.deepEqual(await stack.state(), before);

    await stack.declare({ ...services("new"), idle: { image: stack.worker, ...one } });
    const plan = await stack.project.ok("plan");
    assert.match(plan, /3 to update/);
    assert.match(plan, /web +build .*\n(.*\n)?.*takes the place of what pctl 1.1 made/);
    assert.doesNotMatch(plan, /new volume/);
    await stack.project.ok("deploy", "--yes");
    assert.deepEqual(await stack.containers(), {
      api: "ours running",
      "api-gateway": "ours running",
      idle: "1.1 running",
      web: "ours running",
      "work-1": "ours running",
      "work-2": "ours running",
    });
    assert.deepEqual([await stack.ask(webPort), await stack.ask(apiPort)], ["new", "new"]);
    assert.match(await stack.read("web", "/data/first"), /^\w+ old$/);
    assert.equal(await stack.read("web", "/uploads/first"), await stack.read("web", "/data/first"));
    assert.match(await stack.read("work", "/data/first"), /^\w+ old$/);
    assert.deepEqual(await stack.volumes(), ["web-storage", "work-1-storage", "work-2-storage"]);
    for (const image of images) assert.equal(await stack.hasImage(image), false, image);
    await stack.project.ok("plan", "--exit-code");
    const after = await stack.state();
    assert.deepEqual(after[`${stack.name}-gone`], gone);
    assert.deepEqual(after[`${stack.name}-idle`], before[`${stack.name}-idle`]);

    const { idle: _, ...rest } = services("third");
    await stack.declare(rest);
    await stack.project.ok("deploy", "--yes");
    assert.equal((await stack.containers())["idle"], undefined);
    assert.deepEqual([await stack.ask(webPort), await stack.ask(apiPort)], ["third", "third"]);
    await stack.project.ok("rollback", "web", "--yes");
    assert.equal(await stack.ask(webPort), "new");
    assert.match(await stack.read("web", "/data/first"), /^\w+ old$/);
    await stack.project.ok("destroy", "--yes", "--remove", "web", "--remove", "work", "--volumes");
    assert.deepEqual(await stack.containers(), {});
    assert.deepEqual(await stack.volumes(), []);
  },
);

for (const [how, volumes] of [
  ["in its place", [{ path: "/data" }]],
  ["beside it, behind a gateway", []],
] as const) {
  test(`a first release that fails ${how} leaves what pctl 1.1 made serving`, options, async () => {
    await using stack = await here();
    const port = await freePort();
    const services = (env: Record<string, string>): OldServices => ({
      web: { image: "./Dockerfile", ...one, env, ports: [`${port}:3000`], volumes },
    });
    await stack.declare(services({ WORD: "old" }));
    await stack.deployed(services({ WORD: "old" }));
    await stack.declare(services({ WORD: "new", ENDS: "yes" }));
    const said = await stack.project.expect(3, ["deploy", "--yes"]);
    assert.match(said, /no such table/);
    assert.match(said, /what pctl 1.1 made serves again/);
    assert.deepEqual(await stack.containers(), { web: "1.1 running" });
    assert.equal(await stack.ask(port), "old");

    await stack.declare(services({ WORD: "old" }));
    await stack.project.ok("plan", "--exit-code");
    await stack.declare(services({ WORD: "fixed" }));
    await stack.project.ok("deploy", "--yes");
    assert.equal(await stack.ask(port), "fixed");
    assert.deepEqual(
      Object.values(await stack.containers()).filter((each) => each.startsWith("1.1")),
      [],
    );
  });
}

test("what was never changed is destroyed, and its data is there for the next deploy", options, async () => {
  await using stack = await here();
  const services: OldServices = { db: { image: stack.worker, scale: { replica: 2 }, volumes: [{ path: "/data" }] } };
  await stack.image(stack.worker);
  await stack.declare(services);
  await stack.deployed(services);
  assert.match(await stack.project.expect(4, ["destroy", "--yes"]), /it has volumes/);
  assert.deepEqual(Object.keys(await stack.containers()), ["db-1", "db-2"]);
  const written = await stack.readIn("db-1", "/data/first");
  await stack.project.ok("destroy", "--yes", "--remove", "db");
  assert.deepEqual(await stack.containers(), {});
  assert.deepEqual(await stack.volumes(), ["db-1-storage", "db-2-storage"]);
  assert.equal((await stack.state())[`${stack.name}-db`]?.["destroyed"], true);
  await stack.project.ok("deploy", "--yes");
  assert.equal(await stack.readIn("db-1", "/data/first"), written);
  assert.deepEqual(await stack.volumes(), ["db-1-storage", "db-2-storage"]);
});

test("without a state file that names it, it is refused; --adopt takes it", options, async () => {
  await using stack = await here();
  const services: OldServices = { web: { image: stack.worker, ...one, env: { WORD: "old" } } };
  await stack.image(stack.worker);
  await stack.declare(services);
  await stack.deployed(services);
  const state = await stack.state();
  const name = `${stack.name}-web`;
  for (const left of [{}, { [name]: { ...state[name], destroyed: true } }]) {
    await stack.writeState(left);
    assert.match(await stack.project.expect(6, ["deploy", "--yes"]), /is not of this stack, and is not touched/);
    assert.deepEqual(await stack.containers(), { web: "1.1 running" });
  }
  await stack.project.ok("deploy", "--yes", "--adopt");
  assert.deepEqual(await stack.containers(), { web: "ours running" });
  await stack.project.ok("plan", "--exit-code");
});

test("what scaling with pctl 1.1 left behind goes with the rest; --name is the stack's name", options, async () => {
  await using stack = await here();
  const services: OldServices = { web: { image: stack.worker, scale: { replica: 2 }, env: { WORD: "x" } } };
  await stack.image(stack.worker);
  await stack.run("web", services["web"] ?? assert.fail(), { image: stack.worker, count: 1 });
  await stack.deployed(services);
  await stack.project.write({
    "pctl.yaml": JSON.stringify({
      name: "shop",
      services: { web: { ...services["web"], provider: { name: "docker", options: stack.options } } },
    }),
  });
  assert.deepEqual(Object.keys(await stack.containers()), ["web", "web-1", "web-2"]);
  assert.match(await stack.project.ok("plan", "--name", stack.name), /~ web/);
  await stack.project.ok("deploy", "--yes", "--name", stack.name);
  assert.deepEqual(await stack.containers(), { "web-1": "ours running", "web-2": "ours running" });
});

test(
  "on a host by SSH with sudo, as pctl 1.1 recorded it, also what left the file",
  { ...options, skip: hosts === undefined ? "missing: Docker Engine" : false },
  async () => {
    const [, host] = hosts ?? assert.fail();
    const { address, key, hostKey } = host;
    await using stack = await OldStack.create(endpointOf(host, "admin"), {
      host: address,
      user: "deploy",
      key,
      sudo: true,
      hostKey,
    });
    const port = await freePort();
    const services = (word: string): OldServices => ({
      web: {
        image: "./Dockerfile",
        ...one,
        env: { WORD: word },
        ports: [`${port}:3000`],
        volumes: [{ path: "/data" }],
      },
    });
    await stack.image(stack.worker);
    await stack.deployed({ ...services("old"), gone: { image: stack.worker, ...one } });
    await stack.declare(services("old"));
    const plan = await stack.project.expect(2, ["plan", "--exit-code"]);
    assert.match(plan, /= web +unchanged/);
    assert.match(plan, /- gone +left the file/);
    await stack.declare(services("new"));
    await stack.project.ok("deploy", "--yes");
    assert.deepEqual(await stack.containers(), { web: "ours running" });
    assert.equal(await stack.ask(port, address), "new");
    assert.match(await stack.read("web", "/data/first"), /^\w+ old$/);
    const entry = (await stack.state())[`${stack.name}-web`];
    assert.deepEqual([entry?.["host"], entry?.["user"], entry?.["sudo"]], [address, "deploy", true]);
    await stack.project.ok("plan", "--exit-code");
  },
);

/** Until the engine's own check has passed once. */
async function healthy(stack: OldStack, service: string): Promise<void> {
  for (const until = performance.now() + 20_000; ; await pause(100)) {
    const path = `/containers/${stack.name}-${service}/json`;
    const { State } = await stack.engine.json<{ State: { Health?: { Status: string } } }>({ method: "GET", path });
    if (State.Health?.Status === "healthy") return;
    assert.ok(performance.now() < until, `${service} does not become healthy`);
  }
}
