import assert from "node:assert/strict";
import { test } from "node:test";
import { dockerSocket } from "../engines/docker.ts";
import { OldStack, type OldServices } from "./takeover.support.ts";
import { freePort } from "../free-port.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };
const here = (): Promise<OldStack> => OldStack.create({ kind: "socket", path: socket ?? "" }, { socket });

test("what pctl 1.1 runs is looked into without being taken over", options, async () => {
  await using stack = await here();
  const services: OldServices = {
    web: { image: stack.worker, scale: { replica: 2 }, env: { WORD: "old" }, volumes: [{ path: "/data" }] },
  };
  await stack.image(stack.worker);
  await stack.declare(services);
  await stack.deployed(services);
  const [before, ids] = [await stack.stateText(), await stack.ids()];

  assert.equal((await stack.project.ok("exec", "web", "--", "sh", "-c", "echo $WORD")).trim(), "old");
  const second = await stack.project.ok("exec", "--replica", `${stack.name}-web-2`, "web", "--", "cat", "/data/first");
  assert.equal(second.trim(), await stack.readIn("web-2", "/data/first"));
  assert.equal((await stack.project.pctl(["exec", "web", "--", "sh", "-c", "exit 7"])).code, 7);
  assert.match(await stack.project.ok("status"), /web +docker +serving +- +2 of 2/);
  await stack.project.ok("logs", "web");
  const refused = await stack.project.expect(125, ["run", "web", "--", "true"]);
  assert.match(refused, /web was deployed by pctl 1\.1, and has no release yet to run/);
  assert.match(refused, /pctl deploy web --adopt/);
  assert.match(
    await stack.project.expect(1, ["scale", "web", "3"]),
    /no release yet to scale[^]*--adopt[^]*pctl scale web 3/,
  );
  assert.deepEqual([await stack.stateText(), await stack.ids(), await stack.records()], [before, ids, []]);
  await stack.project.ok("plan", "--exit-code");

  await stack.writeState({});
  for (const command of [
    ["exec", "web", "--", "true"],
    ["stop", "web"],
    ["start", "web"],
    ["restart", "web"],
    ["scale", "web", "3"],
  ])
    assert.match(
      (await stack.project.pctl(command)).stderr,
      /no state file says that it is of this stack/,
      command.join(" "),
    );
  assert.deepEqual([await stack.ids(), await stack.records()], [ids, []]);
});

test("what pctl 1.1 runs is stopped, started and restarted as it is", options, async () => {
  await using stack = await here();
  const port = await freePort();
  const services = (word: string): OldServices => ({
    web: {
      image: "./Dockerfile",
      scale: { replica: 1 },
      env: { WORD: word },
      ports: [`${port}:3000`],
      volumes: [{ path: "/data" }],
      health: { interval: 1, command: "test -d /data" },
    },
    work: { image: stack.worker, scale: { replica: 2 }, env: { WORD: word }, volumes: [{ path: "/data" }] },
  });
  await stack.image(stack.worker);
  await stack.declare(services("old"));
  await stack.deployed(services("old"));
  const [before, ids] = [await stack.state(), await stack.ids()];
  const entries = async (): Promise<unknown> => {
    const { $state: _, ...rest } = await stack.state();
    return rest;
  };
  const states = async (): Promise<readonly string[]> => Object.values(await stack.containers());

  assert.match(await stack.project.ok("stop", "web"), /web +stopped/);
  assert.deepEqual(await stack.containers(), { web: "1.1 exited", "work-1": "1.1 running", "work-2": "1.1 running" });
  assert.match(await stack.project.ok("status", "web"), /web +docker +stopped/);
  assert.match(await stack.project.ok("plan"), /~ web .*\n(.*\n)*?.*was stopped by hand, and starts again/);
  await stack.project.ok("stop", "web");
  assert.match(await stack.project.ok("start", "web"), /web +what pctl 1\.1 made runs, 1 of 1 ready/);
  assert.equal(await stack.ask(port), "old");
  await stack.project.ok("plan", "--exit-code");

  await stack.project.ok("stop");
  assert.deepEqual(await states(), ["1.1 exited", "1.1 exited", "1.1 exited"]);
  await stack.project.ok("start");
  assert.deepEqual(await states(), ["1.1 running", "1.1 running", "1.1 running"]);
  const started = await startedAt(stack);
  assert.match(await stack.project.ok("restart", "work"), /work +what pctl 1\.1 made runs, 2 of 2 ready/);
  const again = await startedAt(stack);
  assert.deepEqual(
    Object.keys(started).filter((name) => started[name] !== again[name]),
    ["work-1", "work-2"],
  );
  assert.deepEqual([await stack.ids(), await entries()], [ids, before]);
  await stack.project.ok("plan", "--exit-code");
  assert.match(await stack.project.ok("history"), /restart +succeeded/);

  // One that somebody stopped by hand is started, too.
  await stack.stopByHand("work-2");
  await stack.project.ok("start", "work");
  assert.deepEqual(await states(), ["1.1 running", "1.1 running", "1.1 running"]);
  for (const { HostConfig } of Object.values(await stack.details()))
    assert.equal(HostConfig.RestartPolicy.Name, "unless-stopped");

  // The next deploy of what changed takes it over as ever, stopped or not.
  await stack.project.ok("stop", "work");
  await stack.declare(services("new"));
  await stack.project.ok("deploy", "--yes");
  assert.deepEqual(await stack.containers(), {
    web: "ours running",
    "work-1": "ours running",
    "work-2": "ours running",
  });
  assert.equal(await stack.ask(port), "new");
  assert.match(await stack.read("work", "/data/first"), /^\w+ old$/);
  assert.deepEqual(await stack.volumes(), ["web-storage", "work-1-storage", "work-2-storage"]);
  await stack.project.ok("plan", "--exit-code");
  await stack.project.ok("scale", "work", "3");
  await stack.project.ok("destroy", "--yes", "--remove", "web", "--remove", "work", "--volumes");
  assert.deepEqual([await stack.containers(), await stack.volumes()], [{}, []]);
});

test("what was stopped serves again where its takeover fails, and is destroyed", options, async () => {
  await using stack = await here();
  const services = (env: Record<string, string>): OldServices => ({
    web: { image: stack.worker, scale: { replica: 1 }, env, volumes: [{ path: "/data" }] },
  });
  await stack.image(stack.worker);
  await stack.declare(services({ WORD: "old" }));
  await stack.deployed(services({ WORD: "old" }));
  await stack.project.ok("stop", "web");
  await stack.declare(services({ ENDS: "yes" }));
  assert.match(await stack.project.expect(3, ["deploy", "--yes"]), /what pctl 1\.1 made serves again/);
  assert.deepEqual(await stack.containers(), { web: "1.1 running" });
  assert.match(await stack.project.ok("status", "web"), /web +docker +serving/);
  await stack.project.ok("stop", "web");
  await stack.project.ok("destroy", "--yes", "--remove", "web");
  assert.deepEqual([await stack.containers(), await stack.volumes()], [{}, ["web-storage"]]);
});

test("what pctl 1.1 made and does not come up says so", options, async () => {
  await using stack = await here();
  const services: OldServices = { web: { image: stack.worker, scale: { replica: 1 }, env: { ENDS: "yes" } } };
  await stack.image(stack.worker);
  await stack.declare(services);
  await stack.deployed(services);
  const said = await stack.project.expect(1, ["restart", "web"]);
  assert.match(said, /ended before it was ready/);
  assert.match(said, /no such table/);
  await stack.project.ok("stop", "web");
  assert.deepEqual(await stack.containers(), { web: "1.1 exited" });
  await stack.removeByHand("web");
  assert.match(await stack.project.expect(1, ["start", "web"]), /web is not deployed/);
});

test("pctl 1.1 works on beside it", options, async () => {
  await using stack = await here();
  const services = (word: string): OldServices => ({
    web: { image: stack.worker, scale: { replica: 1 }, env: { WORD: word }, volumes: [{ path: "/data" }] },
  });
  await stack.image(stack.worker);
  await stack.declare(services("old"));
  await stack.deployed(services("old"));
  await stack.project.ok("stop", "web");

  await stack.declare(services("newer"));
  await stack.removeByHand("web");
  const { $state: _, ...entries } = await stack.state();
  await stack.writeState(entries);
  await stack.deployed(services("newer"));
  assert.match(await stack.project.ok("plan", "--exit-code"), /web +unchanged/);
  assert.match(await stack.project.ok("status"), /web +docker +serving +- +1 of 1/);
  assert.equal((await stack.project.ok("exec", "web", "--", "sh", "-c", "echo $WORD")).trim(), "newer");
  await stack.project.ok("stop", "web");
  assert.match(await stack.project.ok("status"), /web +docker +stopped/);
  await stack.project.ok("start", "web");
  await stack.project.ok("deploy", "--yes", "--adopt");
  assert.deepEqual(await stack.containers(), { web: "ours running" });
  assert.match(await stack.read("web", "/data/first"), /^\w+ old$/);
  await stack.project.ok("plan", "--exit-code");
});

async function startedAt(stack: OldStack): Promise<Readonly<Record<string, string>>> {
  const details = Object.entries(await stack.details());
  return Object.fromEntries(details.map(([name, { State }]) => [name, State.StartedAt]));
}
