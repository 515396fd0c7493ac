import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "@ctrlplane/conformance";

/** What runs in every replica of the suite; `program.json` beside it says how it behaves. */
const server = `"use strict";
const program = require("./program.json");
const { createServer } = require("node:http");
console.log("started " + program.version);
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
  createServer(answer).listen(process.env.PORT, "127.0.0.1", () => {
    if (program.diesMs !== undefined) setTimeout(() => process.exit(1), program.diesMs);
  });
}
`;

/** The folder with a program, below `folder`; for one that is missing there is none. */
export function programFolder(folder: string, program: Program): string {
  const text = JSON.stringify(program);
  const place = join(folder, createHash("sha256").update(text).digest("hex").slice(0, 16));
  if (program.kind === "missing" || existsSync(place)) return place;
  mkdirSync(`${place}.new`, { recursive: true });
  writeFileSync(join(`${place}.new`, "server.js"), server);
  writeFileSync(join(`${place}.new`, "program.json"), text);
  renameSync(`${place}.new`, place);
  return place;
}
