import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connectEngine } from "@ctrlplane/images";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { runLoad } from "../load/run-load.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };

const server = (version: string): string => `
const { createServer } = require("node:http");
process.on("SIGTERM", () => process.exit(0));
if (${JSON.stringify(version)} === "bad") process.exit(7);
createServer((request, response) => response.end(${JSON.stringify(version)})).listen(process.env.PORT ?? 3000);
`;

/** One service on processes of this machine, or in a container of the engine that runs on it. */
class Mover implements AsyncDisposable {
  readonly name = `move${randomBytes(4).toString("hex")}`;
  readonly project: Project;

  private constructor(project: Project) {
    this.project = project;
  }

  static async create(): Promise<Mover> {
    return new Mover(await Project.create());
  }

  async write(provider: "machine" | "engine", version: string, also = ""): Promise<void> {
    const image = provider === "machine" ? "./web" : "./built";
    const command = provider === "machine" ? "    command: [node, server.js]\n" : "";
    const common = {
      "web/server.js": server(version),
      "built/Dockerfile": `FROM node:24-slim\nCOPY server.js /server.js\nCMD ["node", "/server.js"]\n`,
      "built/server.js": server(version),
    };
    await this.project.write({
      ...common,
      "pctl.yaml": `name: ${this.name}
providers:
  machine: { type: local, options: { dir: ../machine } }
  engine: { type: docker, options: { socket: ${socket} } }
services:
  web:
    provider: ${provider}
    image: ${image}
${command}    ports: ["127.0.0.1:${this.project.port}:3000"]
    strategy: rolling
${also}`,
    });
  }

  async ask(): Promise<string> {
    const url = `http://127.0.0.1:${this.project.port}/`;
    return (await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(10_000) })).text();
  }

  async containers(): Promise<string[]> {
    assert.ok(socket !== undefined);
    const engine = connectEngine({ kind: "socket", path: socket });
    try {
      const filters = JSON.stringify({ label: [`pctl-stack=${this.name}`] });
      const found = await engine.json<readonly { Names: string[]; State: string }[]>({
        method: "GET",
        path: "/containers/json",
        query: { all: true, filters },
      });
      return found.filter(({ State }) => State === "running").map(({ Names }) => Names[0]?.slice(1) ?? "");
    } finally {
      await engine.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project.pctl(["destroy", "--yes"]);
    await this.project.expect(0, ["local", "stop", "--yes"], {
      env: { PCTL_LOCAL_DIR: join(this.project.root, "machine") },
    });
    await this.project[Symbol.asyncDispose]();
  }
}

describe("a service moves between processes and containers of one machine", { concurrency: true }, () => {
  test("there and back under load, with its port: the gap is told, and as long as was told", options, async () => {
    await using mover = await Mover.create();
    await mover.write("machine", "as process");
    await mover.project.ok("deploy", "--yes");
    assert.equal(await mover.ask(), "as process");

    for (const [place, from, version] of [
      ["engine", "machine", "as container"],
      ["machine", "engine", "as process again"],
    ] as const) {
      await mover.write(place, version);
      assert.match(
        await mover.project.ok("plan"),
        new RegExp(`takes port ${mover.project.port} over from ${from}: no answer there while it starts`),
      );
      const over = new AbortController();
      const load = runLoad({
        url: `http://127.0.0.1:${mover.project.port}/`,
        ratePerSecond: 50,
        connections: 10,
        signal: over.signal,
      });
      const said = await mover.project.ok("deploy", "--yes");
      over.abort();
      const { sent, failed, worstLagMs } = await load;
      const told = new RegExp(`taken over from ${from}: no answer there for at most ([0-9.]+) s`).exec(said);
      assert.ok(told !== null, said);
      assert.equal(await mover.ask(), version);
      // Each failure is a request of the gap: 50 in a second, those that were open when it began, and those that the client itself sent late.
      const seconds = Number(told[1]) + 0.1 + worstLagMs / 1000;
      assert.ok(failed <= 50 * seconds + 10, `${failed} of ${sent} failed in ${seconds} s`);
      assert.ok(sent > failed, "something was served");
      await mover.project.ok("plan", "--exit-code");
    }
    assert.deepEqual(await mover.containers(), []);

    assert.match(await mover.project.ok("rollback", "--yes"), /taken over from machine: no answer there for at most/);
    assert.equal(await mover.ask(), "as container");
    await mover.write("engine", "as container");
    await mover.project.ok("plan", "--exit-code");
  });

  test("where it does not come up there it serves again where it was", options, async () => {
    await using mover = await Mover.create();
    await mover.write("machine", "as process");
    await mover.project.ok("deploy", "--yes");
    await mover.write("engine", "bad");
    const said = await mover.project.expect(3, ["deploy", "--yes"]);
    assert.match(said, /exit +code 7/);
    assert.equal(await mover.ask(), "as process");
    assert.deepEqual(await mover.containers(), []);

    // What failed is kept for its log until the next deploy.
    await mover.write("machine", "as process");
    assert.match(await mover.project.ok("plan"), /= web@machine .*\n.*- web@engine +is not wanted on engine any more/);
    await mover.project.ok("deploy", "--yes");
    await mover.project.ok("plan", "--exit-code");
  });

  test("one port of this machine is published by one of them only", options, async () => {
    await using mover = await Mover.create();
    const port = mover.project.port;
    await mover.write(
      "machine",
      "one",
      `  other:\n    provider: engine\n    image: busybox\n    command: [sleep, "1000"]\n    ports: ["${port}:80"]\n`,
    );
    const said = await mover.project.expect(6, ["deploy", "--yes"]);
    assert.match(said, new RegExp(`host port ${port} of one machine is published by web on machine too`));
    assert.deepEqual(await mover.containers(), []);
  });
});
