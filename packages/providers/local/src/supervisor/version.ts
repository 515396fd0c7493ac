import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeFolder } from "../programs.ts";

/**
 * Names the code that this process runs: equal for the same files, another after an update or a new build. A supervisor of
 * another version hands over to one of this.
 */
export function codeVersion(): string {
  const names = readdirSync(codeFolder, { recursive: true, encoding: "utf8" });
  const code = names.filter((name) => /\.(ts|js)$/.test(name) && !/\.(test|d)\.(ts|js)$/.test(name)).sort();
  const hash = createHash("sha256").update(codeFolder);
  for (const name of code) {
    const { size, mtimeMs } = statSync(join(codeFolder, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
