import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { StackOnEngine } from "./stack.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };

const server = `
require("node:http").createServer(async (request, response) => {
  const page = await fetch("http://pages:8000/index.html");
  response.end(process.env.GREETING + " " + (await page.text()));
}).listen(3000);
process.on("SIGTERM", () => process.exit(0));
`;

test("a compose file of two services: translated, deployed, answering, gone", options, async () => {
  assert.ok(socket !== undefined);
  const name = `composed${randomBytes(4).toString("hex")}`;
  await using project = await Project.create();
  await using onEngine = new StackOnEngine(name, socket);
  await project.write({
    "compose.yaml": `
services:
  web:
    build: ./web
    command: node "/server.js"
    environment:
      - GREETING=\${GREETING:-it's $$5}
    ports:
      - "127.0.0.1:${project.port}:3000"
    depends_on:
      pages: { condition: service_healthy }
      prepare: { condition: service_completed_successfully }
    restart: unless-stopped
    deploy: { replicas: 2, resources: { limits: { memory: 128M } } }

  prepare:
    image: busybox
    command: sh -c 'echo "for all" > /www/index.html'
    volumes: [www:/www]

  pages:
    image: busybox
    entrypoint: httpd -f -p 8000 -h /www
    volumes: [www:/www, "./check:/check:ro"]
    healthcheck: { test: [CMD, /check/alive.sh], interval: 1s }
    privileged: false
    init: true

volumes:
  www:
`,
    "web/Dockerfile": "FROM node:24-slim\nCOPY server.js /server.js\n",
    "web/server.js": server,
    "check/alive.sh": "#!/bin/sh\nexec wget -q -O - http://127.0.0.1:8000/ > /dev/null || test -d /www\n",
  });
  await chmod(join(project.folder, "check/alive.sh"), 0o755);

  const said = await project.ok("init", "--from", "compose.yaml", "--name", name);
  assert.match(said, /^compose\.yaml: 3 services, written to pctl\.yaml\.\n/);
  assert.match(said, /`init` has no counterpart/);

  const env = { DOCKER_HOST: `unix://${socket}` };
  await project.expect(0, ["deploy", "--yes"], { env });
  assert.deepEqual(await onEngine.containers(), ["pages", "web-1", "web-2", "web-gateway"]);
  const response = await fetch(`http://127.0.0.1:${project.port}/`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(await response.text(), "it's $5 for all\n");
  await project.expect(0, ["plan", "--exit-code"], { env });

  await project.expect(0, ["destroy", "--yes", "--volumes", "--remove", "pages", "--remove", "prepare"], { env });
  assert.deepEqual(await onEngine.containers(), []);
});
