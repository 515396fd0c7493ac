import { closeSync, fsync, openSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

// What waits for the disk lets others work meanwhile. All else is a matter of microseconds: handing it to a thread and back costs
// ten times as much processor time as doing it.
const flush = promisify(fsync);

/** Writes a new file and brings it to the disk before it returns. Throws `EEXIST` where there is one. */
export async function writeNewFile(path: string, content: string, mode: number): Promise<void> {
  const file = openSync(path, "wx", mode);
  try {
    writeFileSync(file, content);
    await flush(file);
  } finally {
    closeSync(file);
  }
}

/** Brings to the disk which names a folder holds. */
export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, "r");
  try {
    await flush(folder);
  } finally {
    closeSync(folder);
  }
}
