// What bench/deploy.ts compares with: starts each server under the shim of `local`, with its flags, and waits for its port; nothing
// else. `node bare.mjs FOLDER IMAGE COUNT PARALLEL` prints `ready`, and ends what it started when its stdin closes.
import { mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startShim } from "../../packages/providers/local/dist/process/start-shim.js";

const [folder, image, count, parallel] = process.argv.slice(2);
const waiting = Array.from({ length: Number(count) }, (_, index) => index);
const replicas = [];
/** Below those that the kernel gives out by itself. */
const firstPort = 22_000;
await Promise.all(Array.from({ length: Number(parallel) }, work));
process.stdout.write("ready\n");
process.stdin.on("end", endAll).resume();

async function work() {
  for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) await startOne(index);
}

async function startOne(index) {
  const own = join(folder, `r${index}`);
  mkdirSync(own);
  const port = firstPort + index;
  const shim = startShim({
    folder: own,
    run: 1,
    cwd: image,
    command: [process.execPath, "server.mjs"],
    env: { PATH: process.env.PATH, PORT: String(port) },
    groups: { join: [], leave: [] },
  });
  replicas.push(own);
  await shim.started;
  while (!(await isOpen(port))) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isOpen(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function endAll() {
  for (const own of replicas) process.kill(JSON.parse(readFileSync(join(own, "run.json"), "utf8")).pid, "SIGTERM");
}
