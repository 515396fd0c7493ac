import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { Program } from "@ctrlplane/conformance";
import { describeEndpoint, type Endpoint } from "@ctrlplane/images";

/** What runs in every replica of the suite; its first argument says how it behaves. */
const server = `"use strict";
const program = JSON.parse(process.argv[1]);
const { createServer } = require("node:http");
console.log("started " + program.version);
process.on("SIGTERM", () => process.exit(0));
const { kind } = program;
if (kind === "ends") setTimeout(() => process.exit(program.exitCode), program.afterMs ?? 0);
else if (kind === "deaf") setInterval(() => undefined, 1e6);
else setTimeout(serve, program.readyMs ?? 0);

function serve() {
  const answer = (request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/say") {
      console.log(url.searchParams.get("line"));
      return response.end();
    }
    if (url.pathname === "/health") return response.writeHead(kind === "ill" ? 503 : 200).end();
    response.end(JSON.stringify({ version: program.version, env: process.env }));
  };
  createServer(answer).listen(3000, "0.0.0.0", () => {
    if (program.diesMs !== undefined) setTimeout(() => process.exit(1), program.diesMs);
  });
}
`;

const made = new Map<string, string>();

/** An image of its own for each program, on the engine: `node:24-slim` with other words. */
export function imageOf(endpoint: Endpoint, program: Program): string {
  const words = ["node", "-e", server, JSON.stringify(program)];
  const name = `ctrlplane-conformance/program:${createHash("sha256").update(words.join("\0")).digest("hex").slice(0, 16)}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const docker = (...args: readonly string[]): string =>
    execFileSync("docker", ["-H", describeEndpoint(endpoint), ...args], { encoding: "utf8" }).trim();
  const id = docker("create", "node:24-slim", "node");
  docker("commit", "-c", `CMD ${JSON.stringify(words)}`, id, name);
  docker("rm", id);
  made.set(name, name);
  return name;
}

/** Of a program that runs, from its words. */
export function versionOf(command: readonly string[]): string {
  // `programCommand` made it.
  return (JSON.parse(command.at(-1) ?? "{}") as { version?: string }).version ?? "unknown";
}
