import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Project } from "./fixture.ts";

/** Ends with 7 in a data folder whose path contains FAILS_IN; its port is its only other side. */
const server = `
const { FAILS_IN, VERSION, PORT } = process.env;
if (FAILS_IN !== "" && process.cwd().includes(FAILS_IN)) { console.error("cannot run in " + FAILS_IN); process.exit(7); }
console.log("version " + VERSION);
require("http").createServer((request, response) => response.end(VERSION)).listen(PORT);
`;

interface Wanted {
  readonly version: string;
  readonly providers?: string;
  /** Data folder in which web crashes. */
  readonly webFailsIn?: string;
  readonly apiFailsIn?: string;
  /** Published by api. */
  readonly apiPort?: number;
}

/** Two data folders are two machines: web on both, api, which needs it, on the first. */
async function declare(project: Project, wanted: Wanted): Promise<void> {
  const { version, providers = "[here, there]", webFailsIn = "", apiFailsIn = "", apiPort } = wanted;
  const port = apiPort === undefined ? "{ containerPort: 3000 }" : `"127.0.0.1:${apiPort}:3000"`;
  await project.write({
    "app/server.js": server,
    "pctl.yaml": `name: shop
provider: here
providers:
  here: { type: local, options: { dir: ../here } }
  there: { type: local, options: { dir: ../there } }
services:
  web:
    provider: ${providers}
    image: ./app
    command: [node, server.js]
    env: { VERSION: "${version}", FAILS_IN: "${webFailsIn}" }
    ports: [{ containerPort: 3000 }]
  api:
    image: ./app
    command: [node, server.js]
    env: { VERSION: "${version}", FAILS_IN: "${apiFailsIn}" }
    needs: [web]
    ports: [${port}]
`,
  });
}

async function withProject(body: (project: Project) => Promise<void>): Promise<void> {
  await using project = await Project.create();
  try {
    await body(project);
  } finally {
    for (const dir of ["here", "there"])
      await project.expect(0, ["local", "stop", "--yes"], { env: { PCTL_LOCAL_DIR: join(project.root, dir) } });
  }
}

describe("together", { concurrency: true }, () => {
  test("one service on two machines: a failure on one takes it back on both", async () => {
    await withProject(async (project) => {
      await declare(project, { version: "1" });
      await project.ok("deploy");
      assert.match(await project.ok("status"), /^web +here +serving +1 .*\n *web +there +serving +1 /m);

      await declare(project, { version: "2", webFailsIn: "there" });
      const failed = await project.expect(3, ["deploy"]);
      assert.match(failed, /✗ web@there +release 2: CRASH_LOOP/);
      assert.match(failed, /cannot run in there/);
      assert.match(failed, /web on here: reverted because of web on there/);
      assert.match(failed, /- api +waits for web/);
      assert.match(await project.ok("status"), /^web +here +serving +1 .*\n *web +there +serving +1 /m);
      assert.match(
        await project.ok("exec", "--provider", "there", "web", "sh", "-c", "echo $VERSION; pwd"),
        /^1\n.*there/m,
      );

      await declare(project, { version: "3" });
      await project.ok("deploy");
      assert.match(
        await project.ok("logs", "web"),
        /web@here +\| version 3\n.*web@there +\| version 3|web@there +\| version 3\n.*web@here +\| version 3/,
      );
      await project.ok("rollback", "web", "--yes");
      assert.match(await project.ok("status"), /^web +here +serving +1 .*\n *web +there +serving +1 /m);

      await declare(project, { version: "1", providers: "here" });
      assert.match(await project.ok("plan"), /- web@there +is not wanted on there any more/);
      await project.ok("deploy");
      assert.doesNotMatch(await project.ok("status"), /^web +there/m);
    });
  });

  test("deploy --atomic: one service fails, and all are as before", async () => {
    await withProject(async (project) => {
      await declare(project, { version: "1" });
      await project.ok("deploy");
      await declare(project, { version: "2", apiFailsIn: "here" });
      const failed = await project.expect(3, ["deploy", "--atomic"]);
      assert.match(failed, /✗ api +release 2: CRASH_LOOP/);
      assert.match(failed, /web on here: reverted because of api/);
      assert.match(failed, /web on there: reverted because of api/);
      const status = await project.ok("status");
      assert.equal(status.match(/^(web|api) +(here|there) +serving +1 /gm)?.length, 3, status);
      assert.match(await project.ok("exec", "web", "sh", "-c", "echo $VERSION"), /^1$/m);
      assert.match(await project.ok("history"), /#2 .* reverted/);
    });
  });

  test("a first change that fails leaves nothing but logs", async () => {
    await withProject(async (project) => {
      await declare(project, { version: "1", apiFailsIn: "here" });
      const failed = await project.expect(3, ["deploy", "--atomic"]);
      assert.match(failed, /web on there: removed again because of api; its logs are kept/);
      assert.deepEqual(project.replicaNames(), []);
      assert.match(await project.ok("logs", "web", "--change", "1"), /web@there +\| version 1/);
    });
  });

  test("a port in use on one machine: it is begun on neither, or taken back on both", async () => {
    await withProject(async (project) => {
      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const address = taken.address();
      assert.ok(address !== null && typeof address === "object");
      try {
        await declare(project, { version: "1", apiPort: address.port });
        const failed = await project.pctl(["deploy", "--atomic"]);
        assert.notEqual(failed.code, 0);
        assert.match(`${failed.stdout}${failed.stderr}`, new RegExp(`port ${address.port}.*in use|PORT_IN_USE`, "s"));
        assert.deepEqual(project.replicaNames(), []);
      } finally {
        taken.close();
      }
    });
  });
});
