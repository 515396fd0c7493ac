import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort as anyFreePort } from "../packages/conformance/src/free-port.ts";

/** Test files run side by side: each port that one of them was given is a file here, with the id of its process. */
const claims = join(tmpdir(), "pctl-test-ports");

/** A port that nobody listens on, and that no test that still runs was given. */
export async function freePort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (;;) {
    const port = await anyFreePort();
    if (isClaimed(port)) return port;
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
