/** The supervisor's process. Argument: the data folder. Descriptor 3, where there is one: `ready` is written to it. */
import { closeSync, fstatSync, rmSync, writeSync } from "node:fs";
import { noControlGroups } from "../cgroup/control-groups.ts";
import { daemonFile, layout, prepareDataFolder, socketPath } from "../layout.ts";
import { identify } from "../process/identity.ts";
import { isErrno, writeJsonFile } from "../process/json-file.ts";
import { serveJson } from "../protocol/server.ts";
import { Epochs } from "./epochs.ts";
import { folderSealer } from "./environment-store.ts";
import { Fleet } from "./fleet.ts";
import { handlers } from "./handlers.ts";
import { gatewayLink } from "./gateway-process.ts";
import { takeLock } from "./lock.ts";
import { Routing } from "./routing.ts";
import { codeVersion } from "./version.ts";

const idleMs = 60_000;
const readyDescriptor = 3;

await main(process.argv[2] ?? "");

async function main(dir: string): Promise<void> {
  prepareDataFolder(dir);
  const lock = await takeLock(dir);
  if (lock === undefined) return tellReady();
  const startedAt = new Date().toISOString();
  const version = codeVersion();
  const gateway = gatewayLink(dir, version);
  const fleet: Fleet = new Fleet({
    dir,
    env: process.env,
    sealer: folderSealer(dir),
    groups: noControlGroups,
    changed: () => refreshSoon(),
  });
  await fleet.adopt();
  const routing = new Routing(dir, gateway, (id) => fleet.find(id));
  let refreshing: Promise<void> | undefined;
  const refreshSoon = (): void => {
    refreshing ??= Promise.resolve()
      .then(() => {
        refreshing = undefined;
        return routing.refresh();
      })
      .catch((error: unknown) => log("the gateway could not be told:", error));
  };
  const leave = async (): Promise<void> => {
    clearInterval(idleTimer);
    fleet.release();
    gateway.release();
    await server.close();
    rmSync(daemonFile(dir, "supervisor"), { force: true });
    rmSync(socketPath(dir, "supervisor"), { force: true });
    await lock.release();
    process.exit(0);
  };
  const server = await serveJson(
    socketPath(dir, "supervisor"),
    handlers({
      fleet,
      routing,
      gateway,
      epochs: new Epochs(layout(dir).epochs),
      status: () => {
        const replicas = {
          total: fleet.all().length,
          running: fleet.all().filter((each) => each.live !== undefined).length,
        };
        const gatewayPid = gateway.pid();
        return { pid: process.pid, version, startedAt, replicas, ...(gatewayPid === undefined ? {} : { gatewayPid }) };
      },
      leave: () => void setImmediate(() => void leave()),
    }),
  );
  let usedAt = performance.now();
  const idleTimer = setInterval(() => {
    if (fleet.all().some((each) => each.isKept) || routing.hasListeners || server.openCalls() > 0)
      usedAt = performance.now();
    if (performance.now() - usedAt >= idleMs) void gateway.stop().then(leave);
  }, 5000);
  writeJsonFile(daemonFile(dir, "supervisor"), { ...identify(process.pid), startedAt, version });
  lock.announce();
  refreshSoon();
  tellReady();
}

function tellReady(): void {
  try {
    if (!fstatSync(readyDescriptor).isFIFO() && !fstatSync(readyDescriptor).isSocket()) return;
    writeSync(readyDescriptor, "ready");
    closeSync(readyDescriptor);
  } catch (error) {
    // Whoever started this process does not wait for it, or is gone.
    if (!isErrno(error, "EBADF", "EPIPE")) throw error;
  }
}

function log(text: string, error: unknown): void {
  console.error(new Date().toISOString(), text, error);
}
