import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of a socket has room for 104 to 108 bytes, and `ssh` adds 17 of its own while it makes one. */
const longest = 60;

const folders = new Set<string>();

/**
 * A new folder that only this user can enter; in memory where the machine has a place for that. Its path is short enough for
 * control sockets, and has no character that `ssh` would read as something else. It goes with this process, at the latest.
 */
export async function makePrivateFolder(): Promise<string> {
  const folder = await makeFolder();
  if (folders.size === 0) process.on("exit", sweep);
  folders.add(folder);
  return folder;
}

export async function removePrivateFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
  if (folders.size === 0) process.off("exit", sweep);
}

function sweep(): void {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
}

async function makeFolder(): Promise<string> {
  for (const place of [process.env["XDG_RUNTIME_DIR"] ?? "", tmpdir()]) {
    if (place.length > longest || !/^\/[\w./-]+$/.test(place)) continue;
    try {
      return await mkdtemp(join(place, "pctl-"));
    } catch {
      // A session that is over leaves its variable, and not its folder.
    }
  }
  return mkdtemp("/tmp/pctl-");
}
