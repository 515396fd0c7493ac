/** The supervisor's process. Arguments: the data folder, and, for tests, how long it stays without work (ms). Descriptor 3, where there is one: `ready` is written to it. */
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { prepareDataFolder } from "../layout.ts";
import { isErrno } from "../process/json-file.ts";
import { Daemon } from "./daemon.ts";
import { takeLock } from "../process/lock.ts";
import { log } from "../process/log.ts";

const readyDescriptor = 3;

/** A supervisor that ends of a defect sooner than this has no successor: that one would end of it as well. */
const successorAfterMs = 10_000;

const [dir, idle] = process.argv.slice(2);
if (dir === undefined) throw new Error("usage: main <data folder>");
await main(dir);

async function main(folder: string): Promise<void> {
  prepareDataFolder(folder);
  const lock = await takeLock(folder, "supervisor");
  if (lock !== undefined) {
    const daemon = new Daemon(folder, lock, { idleMs: idle === undefined ? undefined : Number(idle) });
    process.on("uncaughtException", handOnAfterDefect);
    process.on("SIGTERM", () => void daemon.leave());
    await daemon.start();
  }
  // Without the lock, another supervisor answers by now.
  tellReady();
}

/** Nobody may wait for the next command to see its services looked after: a successor adopts them at once. */
function handOnAfterDefect(error: Error): never {
  log("ends of a defect:", error);
  if (performance.now() >= successorAfterMs) {
    const [, ...args] = process.argv;
    spawn(process.execPath, [...process.execArgv, ...args], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", 1, 2],
    }).unref();
  }
  process.exit(1);
}

function tellReady(): void {
  try {
    writeSync(readyDescriptor, "ready");
    closeSync(readyDescriptor);
  } catch (error) {
    // Started without it, or whoever waited is gone.
    if (!isErrno(error, "EBADF", "EPIPE")) throw error;
  }
}
