import { createHash } from "node:crypto";
import type { Program } from "@ctrlplane/conformance";
import type { EngineClient } from "@ctrlplane/images";

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

/** Images of programs: of each one of its own, `node:24-slim` with other words. */
export interface ProgramImages {
  /** Its image is being made from now on. */
  nameOf(program: Program): string;
  /** All that were named exist. */
  made(): Promise<void>;
}

export function programImages(engine: EngineClient): ProgramImages {
  const known = new Map<string, Promise<void>>();
  return {
    nameOf(program) {
      const words = ["node", "-e", server, JSON.stringify(program)];
      const tag = createHash("sha256").update(words.join("\0")).digest("hex").slice(0, 16);
      const name = `${repository}:${tag}`;
      if (!known.has(name)) {
        const work = makeImage(engine, tag, words);
        // Whoever waits for it is told.
        work.catch(() => undefined);
        known.set(name, work);
      }
      return name;
    },
    made: async () => void (await Promise.all(known.values())),
  };
}

const repository = "ctrlplane-conformance/program";

async function makeImage(engine: EngineClient, tag: string, words: readonly string[]): Promise<void> {
  const body = { Image: "node:24-slim", Cmd: ["node"] };
  const { Id } = await engine.json<{ Id: string }>({ method: "POST", path: "/containers/create", body });
  try {
    const query = { container: Id, repo: repository, tag, pause: false };
    await engine.json({ method: "POST", path: "/commit", query, body: { Cmd: words } });
  } finally {
    await engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
  }
}

/** Of a program that runs, from its words. */
export function versionOf(command: readonly string[]): string {
  // `programCommand` made it.
  return (JSON.parse(command.at(-1) ?? "{}") as { version?: string }).version ?? "unknown";
}
