import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { once } from "node:events";
import { freePort } from "../free-port.ts";
import { outcomeOf, Workbench, type Outcome } from "./workbench.ts";

const secret = "s3cret-planted-value";
const server = `
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
const version = readFileSync("version.txt", "utf8").trim();
if (version === "broken") throw new Error("cannot find checkout");
const listen = () => createServer((request, response) => response.end(version)).listen(process.env.PORT, () => console.log("serves " + version));
setTimeout(listen, version === "slow" ? 4000 : 0);
process.on("SIGTERM", () => process.exit(0));
`;

function declaration(port: number, extra = ""): string {
  return `name: shop
provider: local
services:
  web:
    image: ./web
    command: [node, server.js]
    ports: ["${port}:3000"]
    scale: { replica: 1 }
    secrets: [TOKEN]
  store:
    image: ./web
    command: [sleep, "100000"]
    volumes: [{ path: data }]
${extra}`;
}

/** Every command of `pctl`, in the order of a working day, on real processes. */
describe("pctl on local", () => {
  let bench: Workbench;
  let port: number;

  before(async () => {
    bench = await Workbench.create();
    port = await freePort();
    const files = {
      "server.js": server,
      "package.json": '{ "name": "@acme/Web_Shop", "type": "module", "scripts": { "start": "node server.js" } }',
      "version.txt": "one\n",
    };
    await bench.write(Object.fromEntries(Object.entries(files).map(([name, content]) => [`web/${name}`, content])));
  });
  after(() => bench.dispose());

  const run = (...words: string[]): Promise<Outcome> => bench.pctl(words);
  const served = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) })).text();

  function expectCode(outcome: Outcome, code: number): void {
    assert.equal(outcome.code, code, `exit ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
  }

  async function ok(...words: string[]): Promise<string> {
    const outcome = await run(...words);
    expectCode(outcome, 0);
    return outcome.stdout;
  }

  async function json(...words: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await ok(...words, "--json")) as Record<string, unknown>; // every document of pctl is an object
  }

  test("version and help", async () => {
    assert.match(await ok("--version"), /^\d+\.\d+\.\d+\n$/);
    assert.match(await ok("version"), /^pctl \d+\.\d+\.\d+, Node \d+/);
    assert.match(await ok("--help"), /^pctl deploys the services of pctl\.yaml/);
    assert.match(await ok("deploy", "--help"), /--expect <HASH>/);
  });

  test("init writes a file that check accepts, and never overwrites one", async () => {
    const wrote = await ok("init", "-c", "web/pctl.yaml");
    assert.match(wrote, /^Saw package\.json, server\.js; wrote web\/pctl\.yaml\./);
    const content = readFileSync(join(bench.folder, "web/pctl.yaml"), "utf8");
    assert.match(content, /^name: web-shop$/m);
    assert.match(content, /^ {4}command: \[node, server\.js\]$/m);
    assert.match(await ok("check", "-c", "web/pctl.yaml"), /1 service, no problems/);
    const again = await run("init", "-c", "web/pctl.yaml");
    expectCode(again, 1);
    assert.match(again.stderr, /web\/pctl\.yaml is there already, and was not touched/);
    assert.equal(readFileSync(join(bench.folder, "web/pctl.yaml"), "utf8"), content);
  });

  test("init --from translates a compose file, says what it left out, and never overwrites without being told", async () => {
    await bench.write({
      "composed/compose.yaml":
        "services:\n  web:\n    image: nginx:1.27\n    privileged: true\n    ports: ['8080:80']\n",
      "composed/bad.yaml": "services:\n  web: { image: nginx, ports: [x] }\n  db: {}\n",
    });
    const words = ["init", "--from", "composed/compose.yaml", "-c", "composed/pctl.yaml"];
    const said = await ok(...words);
    assert.match(said, /^composed\/compose\.yaml: 1 service, written to composed\/pctl\.yaml\.\n/);
    assert.match(said, /1 thing left out:\n {2}composed\/compose\.yaml:4:5 {2}`privileged` has no counterpart\n {6}\w/);
    assert.match(said, /\nNext: pctl plan -c composed\/pctl\.yaml · pctl deploy -c composed\/pctl\.yaml\n$/);
    const file = join(bench.folder, "composed/pctl.yaml");
    assert.match(
      readFileSync(file, "utf8"),
      /# Left out: `privileged` has no counterpart\..*\n(.*\n)* {4}ports: \["8080:80"\]\n/,
    );
    assert.match(await ok("config", "-c", "composed/pctl.yaml"), /nginx:1\.27/);

    await bench.write({ "composed/pctl.yaml": "mine\n" });
    const again = await run(...words);
    expectCode(again, 1);
    assert.match(again.stderr, /composed\/pctl\.yaml is there already, and was not touched\n.*--force/);
    assert.equal(readFileSync(file, "utf8"), "mine\n");

    const bad = await run("init", "--from", "composed/bad.yaml", "-c", "composed/pctl.yaml", "--force");
    expectCode(bad, 6);
    assert.match(bad.stderr, /error: composed\/bad\.yaml:2:32: "x" is no port\n/);
    assert.match(bad.stderr, /error: composed\/bad\.yaml:3:3: db has neither `image` nor `build`\n/);
    assert.equal(readFileSync(file, "utf8"), "mine\n");

    const document = await json(...words, "--force", "--name", "other");
    assert.deepEqual(
      [document["file"], document["name"], document["services"]],
      ["composed/pctl.yaml", "other", ["web"]],
    );
    assert.match(readFileSync(file, "utf8"), /^name: other$/m);
    expectCode(await run("init", "--from", "composed/none.yaml"), 1);
  });

  test("an invalid file: all problems with position, hint, exit 6", async () => {
    await bench.write({
      "bad.yaml":
        "name: shop\nprovider: local\nservices:\n  web:\n    image: ./web\n    comand: x\n    ports: [99999]\n",
      ".env": `TOKEN=${secret}\n`,
    });
    const outcome = await run("check", "-c", "bad.yaml");
    expectCode(outcome, 6);
    assert.match(
      outcome.stderr,
      /error: bad\.yaml:6:5: unknown key `comand`\n {2}6 \| {5}comand: x\n {4}\| {5}\^{6}\n/,
    );
    assert.match(outcome.stderr, /Did you mean `command`\?/);
    assert.match(outcome.stderr, /error: bad\.yaml:7:13:/);
    assert.match(outcome.stderr, /2 errors\./);
  });

  test("plan says what is to be done, exits 2 if asked, and leaves no trace but .pctl", async () => {
    await bench.write({ "pctl.yaml": declaration(port) });
    const listed = (): string[] =>
      readdirSync(bench.folder)
        .filter((name) => name !== ".pctl")
        .sort();
    const found = listed();
    const outcome = await run("plan", "--exit-code");
    expectCode(outcome, 2);
    assert.match(outcome.stdout, /^shop on local: /);
    assert.match(outcome.stdout, /^ {2}\+ web {4}\.\/web \(.*\), http:\/\/127\.0\.0\.1:\d+$/m);
    assert.match(outcome.stdout, /2 to create · publishes 0\.0\.0\.0:\d+/);
    assert.deepEqual(listed(), found);
  });

  test("deploy refuses another plan than the one reviewed", async () => {
    const outcome = await run("deploy", "--expect", "000000000000");
    expectCode(outcome, 2);
    assert.match(outcome.stderr, /another one than expected/);
    assert.equal(existsSync(join(bench.folder, "pctl.shop.json")), false);
  });

  test("deploy serves, says where, and goes on to say nothing is to be done", async () => {
    const { hash } = await json("plan");
    const out = await ok("deploy", "--expect", String(hash).slice(0, 12), "-m", "first one");
    assert.match(out, /^ {2}✓ web {4}release 1 serves, 1 of 1 ready +\d+\.\d s$/m);
    assert.match(out, new RegExp(`^Change #1 done in .* http://127\\.0\\.0\\.1:${port}$`, "m"));
    assert.equal(await served(), "one");
    assert.match(await ok("up"), /Nothing to change: 2 services as declared/);
    assert.match(await ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("events are one JSON object a line, without gaps, and the last is result", async () => {
    const lines = (await ok("restart", "web", "--json")).trimEnd().split("\n");
    const events = lines.map(
      (line) => JSON.parse(line) as { seq: number; v: number; type: string; data: { exitCode?: number } },
    );
    assert.deepEqual(
      events.map((each) => each.seq),
      events.map((_, index) => index + 1),
    );
    assert.ok(events.every((each) => each.v === 1));
    assert.equal(events.at(-1)?.type, "result");
    assert.equal(events.at(-1)?.data.exitCode, 0);
  });

  test("status, as a table and as a document", async () => {
    assert.match(
      await ok("ps"),
      /^SERVICE +PROVIDER +STATE +RELEASE +READY +SINCE +ADDRESS\nweb +local +serving +1 +1 of 1 /m,
    );
    const { services } = await json("status", "web");
    assert.equal(Array.isArray(services) && services.length, 1);
    assert.match(await ok("status", "--resources"), /^REPLICA +CPU +MEMORY$/m);
  });

  test("logs: one service as it printed, several with their names", async () => {
    assert.equal(await ok("logs", "web"), "serves one\n");
    assert.match(await ok("logs"), /^web {3}\| serves one$/m);
    expectCode(await run("logs", "web", "--since", "yesterday"), 1);
  });

  test("exec: arguments, input, output and exit code pass through; failures of ours are 125 to 127", async () => {
    const argument = "a b'c\"d $HOME `x` ✓";
    const outcome = await bench.pctl(
      ["exec", "-i", "web", "sh", "-c", 'printf %s "$1"; cat; echo err >&2; exit 7', "--", argument],
      { input: "in\n" },
    );
    assert.deepEqual(outcome, { code: 7, stdout: `${argument}in\n`, stderr: "err\n" });
    expectCode(await run("exec", "web", "no-such-command"), 127);
    expectCode(await run("exec", "nosuch", "ls"), 125);
  });

  test("run starts a fresh replica of a release, without traffic", async () => {
    const outcome = await run("run", "web", "--release", "1", "--", "sh", "-c", "cat version.txt; exit 3");
    assert.deepEqual(outcome, { code: 3, stdout: "one\n", stderr: "" });
    expectCode(await run("run", "web", "--release", "99", "--", "true"), 125);
  });

  test("scale says what the file says, and a plan what it takes back", async () => {
    assert.match(await ok("scale", "web", "2"), /the file says 1 replica; .*services\.web\.scale\.replica/);
    assert.match(await ok("plan"), /takes back the manual scale of 2 replicas by ann/);
    await ok("scale", "web=1");
    expectCode(await run("scale", "web", "many"), 1);
  });

  test("stop and start", async () => {
    await ok("stop", "web");
    await assert.rejects(served());
    assert.match(await ok("ps", "web"), /stopped/);
    await ok("start", "web");
    assert.equal(await served(), "one");
  });

  test("a broken version: exit 3, why, what to type, and the old release serves", async () => {
    await bench.write({ "web/version.txt": "broken\n" });
    const outcome = await run("deploy", "web");
    expectCode(outcome, 3);
    assert.match(outcome.stdout, /^ {2}✗ web {4}release 2: CRASH_LOOP/m);
    assert.match(outcome.stdout, /^ {2}✓ web {4}release 1 serves; release 2 got no traffic$/m);
    assert.match(outcome.stdout, /^pctl\.yaml:4:3: web release 2 ended/m);
    assert.match(outcome.stdout, /^ {2}exit {3}code 1, /m);
    assert.match(outcome.stdout, /cannot find checkout/);
    const number = /pctl logs web --change (\d+) /.exec(outcome.stdout)?.[1] ?? "";
    assert.match(outcome.stdout, /pctl run web --release 2 -- sh/);
    assert.match(outcome.stdout, new RegExp(`Change #${number} failed and was reverted in .* \\(exit 3\\)\\.\n$`));
    assert.equal(await served(), "one");
    assert.match(await ok("logs", "web", "--change", number), /cannot find checkout/);
    assert.match(await ok("history", number), /cannot find checkout/);
    expectCode(await run("run", "web", "--release", "2", "--", "true"), 0);
  });

  test("rollback undoes the last change, and takes one service to a release by number", async () => {
    await bench.write({ "web/version.txt": "two\n" });
    await ok("deploy", "web");
    assert.equal(await served(), "two");
    assert.match(await ok("rollback"), /back to release 1/);
    assert.equal(await served(), "one");
    await ok("rollback", "web", "--to", "3", "--yes");
    assert.equal(await served(), "two");
    const { changes, releases } = await json("history", "--limit", "2");
    assert.deepEqual(
      (changes as { command: string }[]).map((each) => each.command),
      ["rollback", "rollback"],
    );
    assert.deepEqual(
      (releases as { service: string; number: number; serving: boolean }[])
        .filter((each) => each.service === "web" && each.serving)
        .map((each) => each.number),
      [3],
    );
    assert.match(await ok("history"), /first one/);
  });

  test("an interrupted deploy ends with 130, and the next one finishes", async () => {
    await bench.write({ "web/version.txt": "slow\n" });
    const child = bench.start(["deploy", "web", "--json"]);
    child.stdin?.end();
    child.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.includes("service.started")) child.kill("SIGINT");
    });
    const outcome = await outcomeOf(child);
    expectCode(outcome, 130);
    assert.match(outcome.stderr, /SIGINT: finishing the step in hand/);
    await ok("deploy", "web");
    assert.equal(await served(), "slow");
  });

  test("logs -f ends with 130 at Ctrl-C", async () => {
    const child = bench.start(["logs", "web", "-f"]);
    child.stdin?.end();
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const outcome = await outcomeOf(child);
    assert.equal(outcome.code, 130);
    assert.equal(outcome.stderr, "");
  });

  test("a reader that goes away ends a query quietly", async () => {
    const child = bench.start(["schema"]);
    child.stdin?.end();
    child.stdout?.destroy();
    const [code] = (await once(child, "close")) as [number | null]; // node's type is any[]
    assert.equal(code, 0);
  });

  test("config, providers, doctor, schema and state", async () => {
    const config = await ok("config");
    assert.match(config, /TOKEN: ••••••/);
    assert.match(await ok("providers"), /^local \(default\) +local +reachable/m);
    assert.match(await ok("doctor"), /^✓ config +pctl\.yaml, stack shop$/m);
    assert.equal((await json("schema"))["type"], "object");
    assert.match(await ok("state", "show"), /^shop-web +local +/m);
    assert.match(await ok("state", "unlock"), /Nobody holds the lease of shop/);
    assert.match(await ok("state", "rebuild"), /Rebuilt/);
  });

  test("doctor names what is wrong and exits 1", async () => {
    const outcome = await run("doctor", "-c", "bad.yaml");
    expectCode(outcome, 1);
    assert.match(outcome.stdout, /^✗ config +bad\.yaml:6:5: unknown key `comand`\n +Did you mean `command`\?$/m);
  });

  test("no secret stands in any output or file of ours", async () => {
    const outputs = [
      await ok("config"),
      await ok("config", "--json"),
      await ok("plan", "--json"),
      await ok("history"),
      await ok("state", "show", "--json"),
      await ok("status", "--json"),
    ];
    for (const output of outputs) assert.ok(!output.includes(secret));
    assert.ok(!readFileSync(join(bench.folder, "pctl.shop.json"), "utf8").includes(secret));
    assert.equal(await ok("exec", "web", "printenv", "TOKEN"), `${secret}\n`);
  });

  test("a wrong word gets the nearest right one", async () => {
    const command = await run("deplyo");
    assert.deepEqual(command, {
      code: 1,
      stdout: "",
      stderr: "pctl: unknown command 'deplyo'\n  Did you mean pctl deploy?\n",
    });
    assert.match((await run("deploy", "--expct", "x")).stderr, /Did you mean --expect\?/);
    assert.match((await run("restart", "wbe")).stderr, /Did you mean web\?/);
  });

  test("a service with volumes that left the file is held: exit 4, until it is named", async () => {
    await bench.write({ "pctl.yaml": declaration(port).replace(/ {2}store:[^]*$/, "") });
    const held = await run("deploy");
    expectCode(held, 4);
    assert.match(held.stdout, /^ {2}store: .*it has volumes.*\nNext: pctl deploy --remove store\n$/m);
    await ok("deploy", "--remove", "store");
    assert.doesNotMatch(await ok("status"), /^store /m);
  });

  test("on a terminal deploy asks for what it holds back, and Ctrl-C at a question ends with 130", async () => {
    const declared = readFileSync(join(bench.folder, "pctl.yaml"), "utf8");
    await bench.write({ "pctl.yaml": declaration(port) });
    await ok("deploy", "store");
    await bench.write({ "pctl.yaml": declared });
    const question = "Type store to remove it";
    const interrupted = await bench.onTerminal(["deploy"], [[question, "\u0003"]]);
    expectCode(interrupted, 130);
    assert.match(interrupted.stdout, /Interrupted before anything was changed\./);
    expectCode(await bench.onTerminal(["deploy"], [[question, "\r"]]), 4);
    expectCode(await bench.onTerminal(["destroy"], [["Remove? [y/N]", "\u0003"]]), 130);
    assert.equal(await served(), "slow");
    expectCode(await bench.onTerminal(["deploy"], [[question, "store\r"]]), 0);
    assert.doesNotMatch(await ok("status"), /^store /m);
  });

  test("--timeout ends a deploy between two steps, with 130 and a word", async () => {
    await bench.write({ "web/note.txt": "another source\n" });
    const outcome = await run("deploy", "web", "--timeout", "2s");
    expectCode(outcome, 130);
    assert.match(outcome.stderr, /^--timeout: finishing the step in hand/);
    assert.match(outcome.stdout, /^Change #\d+ was stopped by --timeout after .* \(exit 130\)\.\nNext: pctl deploy /m);
    const events = (await run("deploy", "web", "--timeout", "2s", "--json")).stdout.trimEnd().split("\n");
    const results = events.filter((line) => (JSON.parse(line) as { type: string }).type === "result");
    assert.equal(results.length, 1);
    assert.equal(results[0], events.at(-1));
    await ok("deploy", "web");
  });

  test("a deploy beside another one: exit 5 and by whom; once killed, history says that it never finished", async () => {
    await bench.write({ "web/note.txt": "one more\n" });
    const child = bench.start(["deploy", "web", "--json"]);
    child.stdin?.end();
    await new Promise<void>((resolve) =>
      child.stdout?.on("data", (chunk: Buffer) => chunk.includes("service.started") && resolve()),
    );
    const held = await run("deploy", "web", "--lock-wait", "0s");
    expectCode(held, 5);
    assert.match(held.stderr, new RegExp(`ann.* pid ${child.pid}`));
    assert.match(await ok("history", "-n", "1"), / running /);
    child.kill("SIGKILL");
    await once(child, "close");
    const list = await ok("history", "-n", "1");
    assert.match(list, / never finished /);
    const number = /^#(\d+)/m.exec(list)?.[1] ?? "";
    assert.match(await ok("history", number), new RegExp(`^Change #${number} never finished: `, "m"));
    await ok("deploy", "web");
  });

  test("destroy asks, and without a terminal wants --yes", async () => {
    const asked = await run("destroy");
    expectCode(asked, 1);
    assert.match(asked.stderr, /With --yes it does not ask/);
    assert.match(await ok("down", "--yes"), /Change #\d+ done/);
    await assert.rejects(served());
    assert.match(await ok("down", "--yes"), /Nothing to remove/);
  });

  test("local status and stop", async () => {
    await ok("deploy", "web");
    assert.match(await ok("local", "status"), /^shop-web +\d+ +pid \d+ +3000→\d+$/m);
    expectCode(await run("local", "stop"), 1);
    assert.match(await ok("local", "stop", "--yes"), /Stopped 1 replica\./);
    await assert.rejects(served());
    assert.match(await ok("local", "stop", "--yes"), /Nothing runs from/);
    assert.match(await ok("status"), /^no supervisor: local: .*; pctl start brings it back$/m);
    await ok("start");
    assert.equal(await served(), "slow");
    assert.doesNotMatch(await ok("status"), /supervisor/);
    await ok("local", "stop", "--yes");
    await ok("deploy", "web");
    assert.equal(await served(), "slow");
  });
});
