import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Suites run side by side, and a service that is stopped leaves its port for a while: each port is a file here, with the id of the process that was given it. */
const claims = join(tmpdir(), "ctrlplane-test-ports");
/** The latest of this process, oldest first: so many that none of them is still in use when it is given away. */
const own = new Set<number>();
const mostOwn = 5_000;

/** A port that nobody listens on, below those that systems give to clients, and that no process that still runs was given here. */
export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    // Before it is looked at: another one may ask meanwhile.
    if (isClaimed(port) && (await isFree(port))) return port;
  }
}

/** True where it is this call's from now on. */
function isClaimed(port: number): boolean {
  const file = join(claims, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    keep(port);
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  // Left by a process that has ended: free for whoever comes next.
  if (!isRunning(file)) rmSync(file, { force: true });
  return false;
}

function keep(port: number): void {
  own.add(port);
  const [oldest] = own;
  if (own.size <= mostOwn || oldest === undefined) return;
  own.delete(oldest);
  rmSync(join(claims, String(oldest)), { force: true });
}

function isRunning(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    // Another user's.
    return codeOf(error) === "EPERM";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true)).once("error", () => resolve(false));
  });
  server.listen(port, "0.0.0.0");
  if (!(await isListening)) return false;
  server.close();
  await once(server, "close");
  return true;
}
