import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Test files run side by side: each port that one of them was given is a file here, with the id of its process. */
const claims = join(tmpdir(), "pctl-test-ports");

/** Below what systems give to clients, and what `local` takes for addresses of instances. */
const range = { from: 10_000, to: 20_000 };

/** A port that nobody listens on, on any address, and that no test that still runs was given. */
export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (isClaimed(port) && (await isFree(port))) return port;
  }
}

/** True where it is this call's from now on. */
function isClaimed(port: number): boolean {
  const file = join(claims, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  // Left by a process that has ended: free for whoever comes next.
  if (!isRunning(file)) rmSync(file, { force: true });
  return false;
}

function isRunning(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true)).once("error", () => resolve(false));
  });
  server.listen({ port, host: "0.0.0.0", exclusive: true });
  if (!(await isListening)) return false;
  server.close();
  await once(server, "close");
  return true;
}
