import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Ends the processes whose environment carries CTRLPLANE_TEST_RUN with this value, this one apart, and returns each as
 * `pid command line`. A process that is just ending gets a second before it counts. Linux only: elsewhere none is found.
 */
export async function endLeftOver(marker: string): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const deadline = Date.now() + 1000;
  let found = find(marker);
  while (found.size > 0 && Date.now() < deadline) {
    await sleep(50);
    found = find(marker);
  }
  for (const pid of found.keys()) signalIfAlive(pid);
  return [...found].map(([pid, command]) => `${pid} ${command}`);
}

function find(marker: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = readIfThere(`/proc/${pid}/environ`);
    if (!environment.split("\0").includes(`CTRLPLANE_TEST_RUN=${marker}`)) continue;
    found.set(pid, readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim().slice(0, 200));
  }
  return found;
}

/** Empty when the process has ended since it was listed, or belongs to another user. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(codeOf(error))) return "";
    throw error;
  }
}

function signalIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
