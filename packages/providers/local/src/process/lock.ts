import { createServer, connect, type Server } from "node:net";
import { realpathSync } from "node:fs";
import { folderHash, type Daemon } from "../layout.ts";
import { pause } from "../supervisor/timing.ts";
import { isErrno } from "./json-file.ts";

/** The right to be the only supervisor, or gateway, of a folder. The system takes it back when its holder dies, however it dies. */
export interface DaemonLock {
  /** Those who wait are told that the holder answers; so is whoever comes later. */
  announce(): void;
  release(): Promise<void>;
}

/**
 * Takes the lock of a data folder, or, where another process holds it, waits until that one answers and returns undefined;
 * takes it where that one ends instead.
 */
export async function takeLock(dir: string, daemon: Daemon): Promise<DaemonLock | undefined> {
  const name = lockName(dir, daemon);
  for (;;) {
    const lock = await tryLock(name);
    if (lock !== undefined) return lock;
    if (await holderAnswers(name)) return undefined;
    // The holder ended between the two.
    await pause(5);
  }
}

/** A name without a file: it cannot be left over, and only one process listens on it. Abstract sockets are Linux's. */
function lockName(dir: string, daemon: Daemon): string {
  // The supervisor's is that of earlier versions, which may still run.
  return `\0pctl-${process.getuid?.() ?? 0}-${folderHash(realpathSync(dir))}${daemon === "supervisor" ? "" : `-${daemon}`}`;
}

function tryLock(name: string): Promise<DaemonLock | undefined> {
  const waiting = new Set<{ end(text: string): void }>();
  let announced = false;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("close", () => waiting.delete(socket));
    if (announced) socket.end("ready");
    else waiting.add(socket);
  });
  const lock: DaemonLock = {
    announce() {
      announced = true;
      for (const socket of waiting) socket.end("ready");
    },
    release: () => close(server),
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (isErrno(error, "EADDRINUSE") ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(lock));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function holderAnswers(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name);
    let isReady = false;
    socket.on("data", () => {
      isReady = true;
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(isReady));
  });
}
