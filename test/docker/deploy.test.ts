import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { runLoad } from "../load/run-load.ts";
import { StackOnEngine } from "./stack.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };

const server = (body: string): string => `
const { createServer } = require("node:http");
process.on("SIGTERM", () => process.exit(0));
${body}
`;
const serving = (version: string): string =>
  server(
    `createServer((request, response) => response.end("${version}")).listen(3000); console.log("${version} is up");`,
  );

test(
  "a stack with a built image and a database: deployed, changed under load, taken back, removed",
  options,
  async () => {
    await using shop = await Shop.create();
    await shop.write("one");
    await shop.project.ok("deploy", "--yes");
    assert.equal(await shop.ask(), "one");
    assert.deepEqual(await shop.containers(), ["db", "web-1", "web-2", "web-gateway"]);
    await shop.project.ok("plan", "--exit-code");
    assert.match(await shop.project.ok("status"), /^web .*serving .* 2 of 2 +(now|\d+ s) /m);

    const over = new AbortController();
    const load = runLoad({ url: shop.url, ratePerSecond: 100, connections: 20, signal: over.signal });
    await shop.write("two");
    await shop.project.ok("deploy", "--yes");
    assert.equal(await shop.ask(), "two");
    await shop.project.ok("rollback", "--yes");
    assert.equal(await shop.ask(), "one");
    over.abort();
    const { sent, failed } = await load;
    assert.ok(sent > 500, `${sent} requests`);
    assert.equal(failed, 0);
    assert.deepEqual(await shop.containers(), ["db", "web-1", "web-2", "web-gateway"]);

    assert.match(await shop.project.ok("logs", "web"), /one is up/);
    assert.equal(await shop.project.ok("exec", "web", "--", "node", "-p", "process.env.WORD"), 'it\'s $HOME; "x"\n');

    await shop.project.ok("destroy", "--yes", "--remove", "db");
    assert.deepEqual(await shop.containers(), []);
    const left = await shop.volumes();
    assert.deepEqual(
      left.filter((name) => !name.startsWith("pctl-ledger-")),
      [`${shop.name}-db-storage`],
    );
  },
);

test("a version that ends at once is told with its last lines, and the old one serves on", options, async () => {
  await using shop = await Shop.create();
  await shop.write("one");
  await shop.project.ok("deploy", "--yes");
  await shop.writeServer(server(`console.error("no such table: users"); process.exit(4);`));
  const said = await shop.project.expect(3, ["deploy", "--yes"]);
  assert.match(said, /no such table: users/);
  assert.match(said, /exit +code 4/);
  assert.equal(await shop.ask(), "one");
  assert.deepEqual(await shop.containers(), ["db", "web-1", "web-2", "web-gateway"]);
});

test("a range means its maximum, and the plan says so", options, async () => {
  await using shop = await Shop.create();
  await shop.write("one", "[2, 3]");
  assert.match(await shop.project.ok("plan"), /3 replicas run, the most of the range/);
  await shop.project.ok("deploy", "--yes");
  assert.deepEqual(await shop.containers(), ["db", "web-1", "web-2", "web-3", "web-gateway"]);
  await shop.project.ok("plan", "--exit-code");
});

test(
  "an image that cannot be looked up is told with its service and place, before anything is touched",
  options,
  async () => {
    await using shop = await Shop.create();
    await shop.write("one", "2", "localhost:1/busybox");
    assert.match(
      await shop.project.expect(4, ["deploy", "--yes"]),
      /pctl\.yaml:\d+:\d+: db: looking up localhost:1\/busybox: .*connection refused/,
    );
    assert.deepEqual(await shop.containers(), []);
  },
);

/** A project of two services on the engine of the tests, under a name of its own. */
class Shop implements AsyncDisposable {
  readonly name = `shop${randomBytes(4).toString("hex")}`;
  readonly project: Project;
  readonly #onEngine: StackOnEngine;

  private constructor(project: Project, socketPath: string) {
    this.project = project;
    this.#onEngine = new StackOnEngine(this.name, socketPath);
  }

  static async create(): Promise<Shop> {
    assert.ok(socket !== undefined);
    return new Shop(await Project.create(), socket);
  }

  get url(): string {
    return `http://127.0.0.1:${this.project.port}/`;
  }

  async write(version: string, replicas = "2", database = "busybox"): Promise<void> {
    await this.project.write({
      "pctl.yaml": `
name: ${this.name}
provider: here
providers: { here: { type: docker, options: { socket: ${socket} } } }
services:
  web:
    image: ./web
    scale: { replica: ${replicas} }
    ports: ["127.0.0.1:${this.project.port}:3000"]
    env: { WORD: "it's $HOME; \\"x\\"" }
    needs: [db]
  db:
    image: ${database}
    command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
    volumes: [{ path: /data }]
`,
      "web/Dockerfile": `FROM node:24-slim\nCOPY server.js /server.js\nCMD ["node", "/server.js"]\n`,
    });
    await this.writeServer(serving(version));
  }

  writeServer(text: string): Promise<void> {
    return this.project.write({ "web/server.js": text });
  }

  async ask(): Promise<string> {
    const response = await fetch(this.url, { headers: { connection: "close" }, signal: AbortSignal.timeout(10_000) });
    return response.text();
  }

  /** Names of containers that run or are to run, without the stack's. */
  containers(): Promise<string[]> {
    return this.#onEngine.containers();
  }

  volumes(): Promise<string[]> {
    return this.#onEngine.volumes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#onEngine[Symbol.asyncDispose]();
    await this.project[Symbol.asyncDispose]();
  }
}
