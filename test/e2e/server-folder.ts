/** How the server of the tests behaves; a folder with another behaviour is another version. */
export interface Behaviour {
  readonly version: string;
  /** Throws as soon as it is started. */
  readonly crashes?: boolean;
  /** Listens, and answers its health check with 500. */
  readonly isUnhealthy?: boolean;
  /** Ends by itself, with exit code 1. */
  readonly diesAfterMs?: number;
  /** Until it listens. Default 0. */
  readonly startMs?: number;
  /** From SIGTERM to its end; requests in flight are cut at SIGTERM. Default 0. */
  readonly endMs?: number;
  /** Until it answers. Default 0. */
  readonly answerMs?: number;
}

/** What the server answers. */
export interface Answer {
  readonly version: string;
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
}

const program = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const behaviour = JSON.parse(readFileSync("behaviour.json", "utf8"));
const { version, startMs = 0, endMs = 0, answerMs = 0 } = behaviour;
console.log("version " + version + " starts");
if (behaviour.crashes) throw new Error("cannot find checkout");
const server = createServer((request, response) => {
  if (request.url === "/up") return response.writeHead(behaviour.isUnhealthy ? 500 : 200).end();
  const env = request.url === "/env" ? process.env : {};
  setTimeout(() => response.end(JSON.stringify({ version, pid: process.pid, env })), answerMs);
});
setTimeout(() => server.listen(process.env.PORT, () => console.log("version " + version + " listens")), startMs);
if (behaviour.diesAfterMs !== undefined) {
  setTimeout(() => {
    console.error("lost the database");
    process.exit(1);
  }, behaviour.diesAfterMs);
}
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  setTimeout(() => process.exit(0), endMs);
});
`;

/** The files of an image: `node server.js` serves on $PORT. */
export function serverFiles(folder: string, behaviour: Behaviour): Record<string, string> {
  return {
    [`${folder}/server.js`]: program,
    [`${folder}/package.json`]: '{ "type": "module" }\n',
    [`${folder}/behaviour.json`]: `${JSON.stringify(behaviour)}\n`,
  };
}
