import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of a socket has room for 104 to 108 bytes, and `ssh` adds 17 of its own while it makes one. */
const longest = 60;

/**
 * A new folder that only this user can enter; in memory where the machine has a place for that. Its path is short enough for
 * control sockets, and has no character that `ssh` would read as something else.
 */
export async function makePrivateFolder(): Promise<string> {
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
