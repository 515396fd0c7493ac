import { appendFileSync, copyFileSync, constants, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import type { ReplicaFiles } from "../layout.ts";
import { isErrno } from "../process/json-file.ts";

/** How often logs are looked at: the precision of `--since`. */
export const logTickMs = 250;

const rotateAtBytes = 10 * 1024 * 1024;
const rotatedLogs = 3;

/** Notes when a log grew, and rotates it. Of one replica; knows what was there when it was made. */
export class LogKeeper {
  readonly #files: ReplicaFiles;
  readonly #rotateAt: number;
  #size: number;

  constructor(files: ReplicaFiles, rotateAt = rotateAtBytes) {
    this.#files = files;
    this.#rotateAt = rotateAt;
    this.#size = sizeOf(files.log);
  }

  /** From here on the log is that of another run. */
  markRun(run: number): void {
    this.tick();
    appendFileSync(this.#files.logIndex, `${this.#size} ${Date.now()} ${run}\n`, { mode: 0o600 });
  }

  tick(): void {
    const size = sizeOf(this.#files.log);
    if (size > this.#size) appendFileSync(this.#files.logIndex, `${this.#size} ${Date.now()}\n`, { mode: 0o600 });
    this.#size = size;
    if (size >= this.#rotateAt) this.#rotate();
  }

  /** The replica holds the log open, so it is copied and cut. What is written between the two is lost: a copy of the rest makes that short. */
  #rotate(): void {
    const { log, logIndex } = this.#files;
    rmSync(`${log}.${rotatedLogs}`, { force: true });
    rmSync(`${log}.${rotatedLogs}.index`, { force: true });
    for (let age = rotatedLogs - 1; age >= 1; age--) {
      moveIfThere(`${log}.${age}`, `${log}.${age + 1}`);
      moveIfThere(`${log}.${age}.index`, `${log}.${age + 1}.index`);
    }
    copyFileSync(log, `${log}.1`, constants.COPYFILE_FICLONE);
    truncateSync(log, 0);
    moveIfThere(logIndex, `${log}.1.index`);
    this.#size = 0;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
