import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where engines for tests keep what they have: outside of the clone, so that a fresh one finds it. */
export function engineCache(...parts: readonly string[]): string {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(base, "ctrlplane-engines", ...parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
