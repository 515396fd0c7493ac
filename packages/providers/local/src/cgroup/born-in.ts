import { writeFileSync } from "node:fs";
import type { GroupEntry } from "./control-groups.ts";

/** What `start` starts at once is born in these groups; this process is in them only meanwhile. The shim does the same by itself. */
export function bornIn<T>(groups: GroupEntry, start: () => T): T {
  try {
    enter(groups.join);
    return start();
  } finally {
    enter(groups.leave);
  }
}

function enter(files: readonly string[]): void {
  for (const file of files) writeFileSync(file, String(process.pid));
}
