import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { connectEngine, type EngineClient } from "@ctrlplane/images";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { runLoad } from "../load/run-load.ts";

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
  readonly #engine: EngineClient;

  private constructor(project: Project, engine: EngineClient) {
    this.project = project;
    this.#engine = engine;
  }

  static async create(): Promise<Shop> {
    assert.ok(socket !== undefined);
    return new Shop(await Project.create(), connectEngine({ kind: "socket", path: socket }));
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
  async containers(): Promise<string[]> {
    const found = await this.#engine.json<readonly { Names: string[]; Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: this.#filters },
    });
    const names = found.map(({ Names }) => (Names[0] ?? "").slice(`/${this.name}-`.length));
    return names.filter((name) => !/\.old-[0-9a-f]{8}$/.test(name)).sort();
  }

  async volumes(): Promise<string[]> {
    const { Volumes } = await this.#engine.json<{ Volumes: readonly { Name: string }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: this.#filters },
    });
    return (Volumes ?? []).map((each) => each.Name);
  }

  get #filters(): { readonly label: readonly string[] } {
    return { label: [`pctl-stack=${this.name}`] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const query = { all: true, filters: this.#filters };
    const left = await this.#engine.json<readonly { Id: string }[]>({ method: "GET", path: "/containers/json", query });
    for (const { Id } of left)
      await this.#engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
    await this.#engine.json({ method: "POST", path: "/networks/prune", query: { filters: this.#filters } });
    for (const name of await this.volumes()) await this.#engine.json({ method: "DELETE", path: `/volumes/${name}` });
    await this.#engine.close();
    await this.project[Symbol.asyncDispose]();
  }
}
