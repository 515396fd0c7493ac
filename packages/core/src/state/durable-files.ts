import { open } from "node:fs/promises";

/** Writes a new file and brings it to the disk before it returns. Throws `EEXIST` where there is one. */
export async function writeNewFile(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Brings to the disk which names a folder holds. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
