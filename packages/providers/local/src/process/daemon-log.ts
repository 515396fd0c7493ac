import { copyFileSync, statSync, truncateSync } from "node:fs";

const largestBytes = 1024 * 1024;

/**
 * Keeps a daemon's log small: once it is larger than 1 MiB it goes to `<path>.1`, in place of the one before. Its writers hold it
 * open to append, so it is copied and cut.
 */
export function rotateDaemonLog(path: string, atBytes = largestBytes): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= atBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}
