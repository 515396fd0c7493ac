import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually, Project } from "./fixture.ts";
import type { Behaviour } from "./server-folder.ts";

const web: Behaviour = { version: "v1" };

describe("what an operator does on a day", { concurrency: true }, () => {
  test("stop, start, restart: by pid", async () => {
    await using project = await Project.withServer(web, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    const first = project.replicas().flatMap(({ pids }) => pids);
    await project.ok("stop", "web");
    assert.deepEqual(project.replicas(), []);
    await assert.rejects(project.ask());
    assert.match(await project.ok("status"), /^web .*stopped/m);
    await project.ok("start", "web");
    assert.deepEqual(project.replicaNames(), ["shop-web-1", "shop-web-2"]);
    const second = project.replicas().flatMap(({ pids }) => pids);
    await project.ok("restart", "web");
    const third = project.replicas().flatMap(({ pids }) => pids);
    assert.equal(new Set([...first, ...second, ...third]).size, 6, "no pid twice");
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("scale 1 → 4 → 1: replicas of /proc, no process besides", async () => {
    await using project = await Project.withServer(web);
    await project.ok("deploy");
    const [first] = project.replicas();
    await project.ok("scale", "web", "4");
    assert.equal(project.replicas().length, 4);
    const pids = new Set<number>();
    await eventually("all four answer", async () => pids.add((await project.ask()).pid).size === 4, 5000);
    await project.ok("scale", "web", "1");
    assert.deepEqual(project.replicas(), [first], "the one that was there first stays");
    await eventually(
      "one shim is left",
      () => project.processes().filter(({ role }) => role === "shim").length === 1,
      2000,
    );
  });

  test("exec: exit codes, signals, input of a megabyte, arguments", async () => {
    await using project = await Project.withServer(web);
    await project.ok("deploy");
    for (const code of [0, 1, 42, 255]) await project.expect(code, ["exec", "web", "sh", "-c", `exit ${code}`]);
    await project.expect(137, ["exec", "web", "sh", "-c", "kill -9 $$"]);
    await project.expect(127, ["exec", "web", "no-such-command"]);
    const input = "0123456789abcde\n".repeat(65_536);
    const { code, stdout } = await project.pctl(["exec", "-i", "web", "cat"], { input });
    assert.equal(code, 0);
    assert.equal(stdout === input, true, `${stdout.length} of ${input.length} bytes came back`);
    const words = ["", " a  b ", "$(touch x)", "'", '"', "--help", "-c", "*", "é🦊\n"];
    const echoed = await project.pctl([
      "exec",
      "web",
      process.execPath,
      "-p",
      "JSON.stringify(process.argv.slice(1))",
      "--",
      ...words,
    ]);
    assert.deepEqual(JSON.parse(echoed.stdout), words);
  });

  test("run: the release's files and environment, no traffic, its exit code, nothing left", async () => {
    await using project = await Project.withServer(web, ["env: { GREETING: hello }"]);
    await project.ok("deploy");
    const before = project.replicas();
    const { code, stdout } = await project.pctl(["run", "web", "--", "sh", "-c", "echo $GREETING; ls; exit 9"]);
    assert.equal(code, 9);
    assert.equal(stdout, "hello\nbehaviour.json\npackage.json\nserver.js\n");
    assert.deepEqual(project.replicas(), before);
    assert.equal(readdirSync(join(project.dataFolder, "replicas")).length, 1);
  });

  test("logs: --tail, --since, --previous, --change", async () => {
    const script =
      "for (let n = 1; n <= 30; n += 1) console.log('line ' + n); setTimeout(() => process.exit(1), 60_000);";
    await using project = await Project.create();
    await project.write({
      "pctl.yaml": "name: shop\nprovider: local\nservices:\n  web: { image: ./web, command: [node, main.js] }\n",
      "web/main.js": `console.log("first of two");\n${script}`,
    });
    await project.ok("deploy");
    const lines = async (...words: string[]): Promise<string[]> =>
      (await project.ok("logs", "web", ...words)).trimEnd().split("\n");
    await eventually("all is printed", async () => (await lines()).length === 31);
    assert.deepEqual(await lines("--tail", "2"), ["line 29", "line 30"]);
    assert.equal((await lines("--since", "1h")).length, 31);
    await eventually("nothing in the last 100 ms", async () => {
      const { code, stdout } = await project.pctl(["logs", "web", "--since", "100ms"]);
      return code === 0 && stdout === "";
    });

    const [replica] = project.replicas();
    assert.ok(replica !== undefined);
    for (const pid of replica.pids) process.kill(pid, "SIGKILL");
    await eventually("it runs again", () =>
      project.replicas().some(({ pids }) => !pids.includes(replica.pids[0] ?? 0)),
    );
    await eventually("the second run printed", async () => (await lines("--tail", "1"))[0] === "line 30");
    assert.equal((await lines("--previous"))[0], "first of two");
    assert.equal((await lines("--previous")).length, 31);

    await project.write({ "web/main.js": `console.log("another");\n${script}` });
    await project.ok("deploy");
    assert.equal((await lines("--change", "1"))[0], "first of two");
    assert.equal((await lines("--change", "2"))[0], "another");
  });

  test("destroy keeps volumes, destroy --volumes removes them", async () => {
    await using project = await Project.create();
    await project.write({
      "pctl.yaml": `name: shop
provider: local
services:
  db: { image: ./db, command: [sh, -c, "date >> data/log; exec sleep 1000"], volumes: [{ path: data }] }
`,
      "db/readme": "",
    });
    const data = join(project.dataFolder, "volumes/shop-db-storage/data/log");
    await project.ok("deploy");
    await eventually("it wrote", () => existsSync(data));
    const written = readFileSync(data, "utf8");
    assert.match(await project.expect(4, ["destroy", "--yes"]), /pctl destroy --remove db/);
    assert.deepEqual(project.replicaNames(), ["shop-db"]);
    await project.ok("destroy", "--remove", "db", "--yes");
    assert.deepEqual(project.replicas(), []);
    assert.equal(readFileSync(data, "utf8"), written);
    assert.match(await project.ok("plan"), /volume shop-db-storage with the data that it left/);
    await project.ok("deploy");
    await eventually(
      "it wrote after what it had",
      () => readFileSync(data, "utf8").startsWith(written) && readFileSync(data, "utf8") !== written,
    );
    await project.ok("destroy", "--remove", "db", "--volumes", "--yes");
    assert.equal(existsSync(data), false);
  });

  test("volumes that a destroy left are told, and go with a later one that names their service", async () => {
    await using project = await Project.create();
    await project.write({
      "pctl.yaml": `name: shop
provider: local
services:
  db: { image: ./db, command: [sleep, "1000"], volumes: [{ path: data }] }
`,
      "db/readme": "",
    });
    const volume = join(project.dataFolder, "volumes/shop-db-storage");
    await project.ok("deploy");
    await project.ok("destroy", "db", "--yes");
    const again = "pctl destroy db --volumes";
    assert.match(
      await project.ok("status"),
      new RegExp(`^db +local +absent\n\nvolumes that db left.*shop-db-storage; ${again}`, "m"),
    );
    const told = await project.ok("destroy", "--yes");
    assert.match(told, new RegExp(`still there: shop-db-storage\n +${again} removes them[^]*\nNothing to remove.\n$`));
    assert.match(await project.expect(4, ["destroy", "--volumes", "--yes"]), /pctl destroy --volumes --remove db\n$/);
    assert.equal(existsSync(volume), true);
    assert.match(
      await project.ok("destroy", "db", "--volumes", "--yes"),
      /was removed before, with its data: shop-db-storage/,
    );
    assert.equal(existsSync(volume), false);
    assert.equal(
      await project.ok("destroy", "--yes", "--volumes").then((text) => text.endsWith("Nothing to remove.\n")),
      true,
    );
    assert.doesNotMatch(await project.ok("status"), /storage/);
  });

  test("a lost state file: continued, as is an empty checkout", async () => {
    await using project = await Project.withServer(web);
    await project.ok("deploy");
    const before = project.replicas();
    rmSync(join(project.folder, "pctl.shop.json"));
    rmSync(join(project.folder, ".pctl"), { recursive: true });
    assert.match(await project.ok("plan", "--exit-code"), /^shop on local.*after change #1 by ann/);
    await project.ok("deploy");
    assert.deepEqual(project.replicas(), before);
    await project.change({ version: "v2" });
    await project.ok("deploy");
    assert.deepEqual(await project.versions(), ["v2"]);
    rmSync(join(project.folder, "pctl.shop.json"));
    await project.ok("state", "rebuild");
    assert.ok(existsSync(join(project.folder, "pctl.shop.json")));
    assert.match(await project.ok("history"), /#1 .*\n?/);
    await project.ok("rollback", "--yes");
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("a folder that is renamed goes on as the same stack", async () => {
    await using project = await Project.withServer(web);
    await project.ok("deploy");
    const before = project.replicas();
    const moved = join(project.root, "moved");
    renameSync(project.folder, moved);
    assert.match(await project.expect(0, ["plan", "--exit-code"], { cwd: moved }), /Nothing to do/);
    renameSync(moved, project.folder);
    assert.deepEqual(project.replicas(), before);
  });
});
