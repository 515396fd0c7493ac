import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, Project } from "./fixture.ts";
import { SecretScan } from "./secret-scan.ts";
import { outcomeOf } from "./workbench.ts";

/** From the environment of `pctl`; the last one from `.env`. */
const secrets = {
  TOKEN: `begin-"quoted" 'single'\nsecond line $HOME $(touch x) & \`y\`; é 漢字 🦊 \\ end`,
  PASSWORD: "p4ss/w+rd=with?marks&more#of%them",
  DOTENV: `from the file "with" $quotes & ümlaut`,
};
const { DOTENV, ...environment } = secrets;

const server = `
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
const { crashes } = JSON.parse(readFileSync("behaviour.json", "utf8"));
const all = ["TOKEN", "PASSWORD", "DOTENV"].map((name) => process.env[name]);
if (crashes) {
  for (const one of all) {
    console.log("plain " + one);
    console.log(JSON.stringify({ nested: { one } }));
    console.log(encodeURIComponent(one) + " " + new URLSearchParams({ one }));
    console.error("Basic " + Buffer.from("user:" + one).toString("base64") + " " + Buffer.from(one).toString("base64url"));
  }
  throw new Error("cannot log in with " + all.join(", "));
}
createServer((request, response) => response.end(JSON.stringify(all))).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;

const files = (crashes: boolean, version: number): Record<string, string> => ({
  "web/server.js": server,
  "web/package.json": '{ "type": "module" }\n',
  "web/behaviour.json": JSON.stringify({ crashes, version }),
});

/** The output of a service is its own; `.env` is where the user wrote it. Nothing else may hold a secret. */
const isMeant = (path: string): boolean =>
  path === "project/.env" || /^local\/(replicas\/[^/]+|archive\/[^/]+\/[^/]+)\/log(\.\d+)?$/.test(path);

describe("secrets", () => {
  const scan = new SecretScan(secrets);
  const env = environment;
  const said: { words: string; output: string }[] = [];
  const argv = new Map<string, Buffer>();
  let project: Project;
  let watch: NodeJS.Timeout;

  before(async () => {
    project = await Project.create();
    const names = Object.keys(secrets).join(", ");
    const declared = (extra: string): string =>
      `name: shop\nprovider: local\nservices:\n  web:\n    image: ./web\n    command: [node, server.js]\n    ports: ["127.0.0.1:${project.port}:3000"]\n    secrets: [${names}]\n    env: { URL: "https://user:\${secret:TOKEN}@host/" }\n${extra}`;
    await project.write({
      ...files(false, 1),
      ".env": `DOTENV='${DOTENV}'\n`,
      "pctl.yaml": declared(""),
      "bad.yaml": declared('    scale: { replica: "${secret:TOKEN}" }\n    user: "${secret:PASSWORD}"\n'),
    });
    // Nobody tells of a process of the kernel: whatever runs is looked at again and again.
    watch = setInterval(() => readArguments(argv), 25);
  });
  after(async () => {
    clearInterval(watch);
    await project[Symbol.asyncDispose]();
  });

  const say = async (code: number, words: readonly string[], options = {}): Promise<string> => {
    const output = await project.expect(code, words, options);
    said.push({ words: words.join(" "), output });
    return output;
  };

  test("a service that serves gets them byte for byte", async () => {
    for (const words of [
      ["check"],
      ["doctor"],
      ["plan"],
      ["plan", "--json"],
      ["plan", "--debug"],
      ["config"],
      ["config", "--json"],
    ])
      await say(0, words, { env });
    await say(6, ["check", "-c", "bad.yaml"], { env });
    await say(6, ["plan", "-c", "bad.yaml", "--json", "--debug"], { env });
    await say(0, ["deploy", "--json", "--debug"], { env });
    const response = await fetch(`http://127.0.0.1:${project.port}/`, { headers: { connection: "close" } });
    assert.deepEqual(await response.json(), Object.values(secrets));
  });

  test("a crash dump of pctl in the middle of a change has none", async () => {
    const reports = join(project.root, "reports");
    await mkdir(reports);
    await project.write(files(false, 2));
    const words = ["deploy", "--json"];
    const child = project.start(words, {
      // Its environment is the user's own; a report of Node lists that.
      env: { ...env, NODE_OPTIONS: `--report-on-signal --report-exclude-env --report-directory=${reports}` },
    });
    child.stdout?.once("data", () => child.kill("SIGUSR2"));
    const outcome = await outcomeOf(child);
    said.push({ words: words.join(" "), output: outcome.stdout + outcome.stderr });
    assert.equal(outcome.code, 0, outcome.stderr);
    const [report = ""] = readdirSync(reports);
    assert.match(readFileSync(join(reports, report), "utf8"), /"javascriptStack"/);
  });

  test("a service that crashes prints them in its last words", async () => {
    await project.write(files(true, 3));
    const output = await say(3, ["deploy"], { env });
    assert.match(output, /cannot log in with •+/);
    await say(3, ["deploy", "--debug"], { env });
    await say(3, ["deploy", "--json"], { env });
  });

  test("every command that tells of it afterwards", async () => {
    for (const words of [
      ["status"],
      ["status", "--json"],
      ["history"],
      ["history", "--json"],
      ["history", "3"],
      ["history", "3", "--json", "--debug"],
      ["state", "show", "--json"],
      ["logs", "web"],
      ["logs", "web", "--json"],
      ["local", "status"],
      ["providers", "--json"],
      ["plan", "--debug"],
    ])
      await say(0, words, { env });
    for (const words of [
      ["status", "--json", "--debug"],
      ["history", "3"],
      ["state", "show"],
    ])
      await say(0, words);
    await say(0, ["rollback", "web", "--to", "1", "--yes", "--debug"], { env });
    await say(0, ["scale", "web=2", "--debug", "--json"], { env });
    await say(0, ["restart", "web", "--debug"], { env });
    await say(127, ["exec", "web", "--", "no-such-program"], { env });
  });

  test("none is in any output, event, error, argument, environment of ours, or file", () => {
    readArguments(argv);
    for (const { words, output } of said) assert.deepEqual(scan.find(output), [], `pctl ${words}`);
    for (const line of argv.values()) assert.deepEqual(scan.find(line), [], "in arguments of a process");
    const ours = project.processes().filter(({ role }) => ["supervisor", "gateway", "shim"].includes(role));
    assert.ok(ours.length >= 3, "no processes of ours");
    for (const { pid, role } of ours)
      assert.deepEqual(scan.find(readFileSync(`/proc/${pid}/environ`)), [], `environment of the ${role}`);
    assert.deepEqual(scan.findBelow(project.root, isMeant), []);
  });

  test("controls: the same search finds what the service printed, what its process was given, and an argument", async () => {
    const everything = scan.findBelow(project.root, () => false).map((line) => line.replace(/: .*/, ""));
    assert.ok(
      everything.includes("project/.env") && everything.some((path) => path.endsWith("/log")),
      everything.join(),
    );
    const [replica] = project.processes().filter(({ role }) => role === "replica");
    assert.ok(replica !== undefined);
    assert.notDeepEqual(scan.find(readFileSync(`/proc/${replica.pid}/environ`)), []);
    const child = project.start(["exec", "web", "--", "sleep", "1000", secrets.PASSWORD]);
    const closed = once(child, "close");
    await eventually("an argument is seen", () => [...argv.values()].some((line) => scan.find(line).length > 0));
    child.kill("SIGKILL");
    await closed;
  });
});

/** Adds the arguments of every process of the machine by pid and arguments. */
function readArguments(seen: Map<string, Buffer>): void {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`);
      seen.set(`${pid} ${line.toString("latin1")}`, line);
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")))
        throw error;
    }
  }
}
