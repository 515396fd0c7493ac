import { closeSync, writeSync } from "node:fs";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonFile, layout, socketPath } from "../layout.ts";
import { identify, isAlive } from "../process/identity.ts";
import { isErrno, readJsonFile, writeJsonFile } from "../process/json-file.ts";
import { takeLock } from "../process/lock.ts";
import { serveJson } from "../protocol/server.ts";
import type { GatewayRecord } from "./client.ts";
import { Gateway } from "./gateway.ts";
import { log } from "../process/log.ts";
import { gatewayOperations } from "./operations.ts";
import type { RouteTable } from "./routes.ts";

/**
 * The gateway process of a data folder: `main.ts <dir> <version>`. Serves `routes.json` as soon as it is read, then listens on its
 * socket. `startGateway` starts it.
 */
async function main(dir: string, version: string): Promise<void> {
  // A connection's error has a listener everywhere; what is missed must not end the connections of all others.
  process.on("uncaughtException", (error) => log("unexpected", error));
  process.on("unhandledRejection", (error) => log("unexpected", error));
  process.on("SIGHUP", () => undefined); // outlives the terminal that it was started from

  const record = daemonFile(dir, "gateway");
  const other = readJsonFile<GatewayRecord>(record);
  if (other !== undefined && other.pid !== process.pid && isAlive(other)) {
    log(`process ${other.pid} is the gateway of ${dir}; nothing to do`);
    return tellReady();
  }
  // Of two supervisors, one that was killed and the next, each may have begun to start one.
  const lock = await takeLock(dir, "gateway");
  if (lock === undefined) return tellReady();
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error("no /proc/self/stat: this system is not supported");
  const gateway = new Gateway();
  await serveStoredRoutes(gateway, layout(dir).routes);
  await serveJson(
    socketPath(dir, "gateway"),
    gatewayOperations(gateway, () => process.exit(0)),
  );
  writeJsonFile(record, { ...identity, startedAt: new Date().toISOString(), version } satisfies GatewayRecord);
  lock.announce();
  process.on("SIGTERM", () => void gateway.close(0).then(() => process.exit(0)));
  log(`serves version ${gateway.version}`);
  tellReady();
}

async function serveStoredRoutes(gateway: Gateway, file: string): Promise<void> {
  try {
    const table = readJsonFile<RouteTable>(file);
    if (table === undefined) return;
    for (const error of await gateway.applyWhatOpens(table)) log(error.message);
  } catch (error) {
    // A damaged file: the supervisor knows the routes as well, and will tell them.
    log(`${file} cannot be served`, isCtrlPlaneError(error) ? error.message : error);
  }
}

/** Whoever started it reads `ready` at descriptor 3, or has gone by now. */
function tellReady(): void {
  try {
    writeSync(3, "ready");
    closeSync(3);
  } catch (error) {
    if (!isErrno(error, "EBADF", "EPIPE")) throw error;
  }
}

const [dir, version] = process.argv.slice(2);
if (dir === undefined || version === undefined) throw new Error("usage: main <dir> <version>");
await main(dir, version);
