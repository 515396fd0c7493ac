import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { runLoad } from "../load/run-load.ts";
import { StackOnEngine } from "./stack.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 600_000 };
const example = fileURLToPath(new URL("../../examples/docker", import.meta.url));

test("examples/docker: orders are taken while it changes, and are there after it was removed", options, async () => {
  assert.ok(socket !== undefined);
  const name = `orders${randomBytes(4).toString("hex")}`;
  await using project = await Project.create();
  await using onEngine = new StackOnEngine(name, socket);
  await cp(example, project.folder, { recursive: true });
  const declaration = await readFile(join(project.folder, "pctl.yaml"), "utf8");
  // As it stands, but for the port and the name.
  await project.write({
    "pctl.yaml": declaration.replace("[8080:3000]", `[${project.port}:3000]`),
    ".env": 'DB_PASSWORD=`it\'s a "secret" $HOME`\n',
  });
  const env = { DOCKER_HOST: `unix://${socket}` };
  const pctl = (...words: string[]): Promise<string> => project.expect(0, ["--name", name, ...words], { env });
  const url = `http://127.0.0.1:${project.port}/`;
  const count = async (): Promise<string> =>
    (await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(10_000) })).text();

  await pctl("deploy", "--yes");
  assert.deepEqual(await onEngine.containers(), ["db", "web-1", "web-2", "web-gateway", "worker"]);
  assert.equal(await count(), "0 orders, 0 shipped\n");
  const order = await fetch(url, { method: "POST", body: "a 'hat'; --", signal: AbortSignal.timeout(10_000) });
  assert.equal(await order.text(), "order 1\n");
  await eventually("the order is shipped", async () => (await count()) === "1 orders, 1 shipped\n");
  assert.match(await pctl("logs", "worker"), /shipped order 1: a 'hat'; --/);

  const over = new AbortController();
  const load = runLoad({
    url,
    method: "POST",
    body: "a coat",
    ratePerSecond: 20,
    connections: 10,
    signal: over.signal,
  });
  const web = await readFile(join(project.folder, "app/web.js"), "utf8");
  await project.write({ "app/web.js": web.replace("${all} orders", "${all} orders so far") });
  await pctl("deploy", "--yes");
  over.abort();
  const { sent, failed } = await load;
  assert.ok(sent > 20, `${sent} requests`);
  assert.equal(failed, 0);
  const total = `${sent + 1} orders so far, `;
  assert.ok((await count()).startsWith(total), `${await count()} is not ${total}`);
  await pctl("plan", "--exit-code");

  await pctl("destroy", "--yes", "--remove", "db");
  assert.deepEqual(await onEngine.containers(), []);
  await pctl("deploy", "--yes");
  assert.ok((await count()).startsWith(total), `${await count()} is not ${total}`);
  await pctl("destroy", "--yes", "--remove", "db", "--volumes");
  const left = (await onEngine.volumes()).filter((each) => !each.startsWith("pctl-ledger-"));
  assert.deepEqual(left, []);
});
