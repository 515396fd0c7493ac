import { rmSync } from "node:fs";
import { createPlatformServer } from "./server.ts";
import { loadPlatform, savePlatform } from "./storage.ts";

// The process of a platform: `node main.ts FOLDER SOCKET`. Saved a moment after each write and at its end; killed with -9 it may
// lose the writes of the last 100 ms, or, where saving takes longer than 5 ms, of twenty times as long.
const [, , folder, socket] = process.argv;
if (folder === undefined || socket === undefined) throw new Error("usage: main FOLDER SOCKET");

const platform = loadPlatform(folder);
let pending: NodeJS.Timeout | undefined;
let savingMs = 0;
const server = createPlatformServer(platform, () => {
  pending ??= setTimeout(
    () => {
      pending = undefined;
      const startedAt = performance.now();
      savePlatform(folder, platform);
      savingMs = performance.now() - startedAt;
    },
    Math.max(100, 20 * savingMs),
  );
});

const end = (): void => {
  savePlatform(folder, platform);
  process.exit(0);
};
process.on("SIGTERM", end);

// Whoever started it may have been killed: unused for ten minutes it ends by itself.
const idle = setTimeout(end, 600_000);
server.on("request", () => idle.refresh());

// A socket that a killed platform left behind.
rmSync(socket, { force: true });
server.keepAliveTimeout = 60_000;
server.listen(socket, () => process.stdout.write("ready\n"));
