import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonFile, daemonLog } from "../layout.ts";
import { isAlive } from "../process/identity.ts";
import { readJsonFile } from "../process/json-file.ts";
import { gatewayFile, programFlags } from "../programs.ts";
import type { GatewayRecord } from "./client.ts";

export interface StartGatewayOptions {
  /** Data folder, absolute; it exists. */
  readonly dir: string;
  /** Ours, for `gateway.json`. */
  readonly version: string;
  /** How long it may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Starts the gateway of a data folder, detached from this process, or finds the one that runs. Returns when it serves
 * `routes.json`, as far as its ports are free, and answers on its socket. `exited` resolves when the process ends, while this one lives; it is absent for one
 * that was found. One process at a time may start it: the supervisor. Throws `FAILED` with the end of its log.
 */
export async function startGateway(
  options: StartGatewayOptions,
): Promise<GatewayRecord & { readonly exited?: Promise<void> }> {
  const running = runningGateway(options.dir);
  if (running !== undefined) return running;
  const log = openSync(daemonLog(options.dir, "gateway"), "a", 0o600);
  const child = spawn(process.execPath, [...programFlags, gatewayFile, options.dir, options.version], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  // Descriptor 3 is a pipe that only the child writes to.
  const signal = child.stdio[3] as Readable;
  const isReady = await readSignal(signal, options.timeoutMs ?? 10_000);
  signal.destroy();
  child.unref();
  const record = runningGateway(options.dir);
  if (!isReady || record === undefined) {
    child.kill("SIGKILL");
    throw new CtrlPlaneError("FAILED", "the gateway did not start", {
      target: options.dir,
      hint: `See ${daemonLog(options.dir, "gateway")}.`,
    });
  }
  return record.pid === child.pid ? { ...record, exited } : record;
}

/** The gateway of a data folder, by pid and start time; undefined where none runs. */
export function runningGateway(dir: string): GatewayRecord | undefined {
  const record = readJsonFile<GatewayRecord>(daemonFile(dir, "gateway"));
  return isAlive(record) ? record : undefined;
}

/** The arguments are those of a gateway of this data folder, of whatever version. */
export function isGatewayOf(dir: string, argv: readonly string[]): boolean {
  return argv.includes(dir) && argv.some((word) => /\/gateway\/main\.[jt]s$/.test(word));
}

/** True when the process says that it is ready; false when it ended, or did not in time. */
function readSignal(signal: Readable, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const answer = (isReady: boolean): void => {
      clearTimeout(timer);
      resolve(isReady);
    };
    signal.once("data", () => answer(true));
    signal.once("close", () => answer(false));
    signal.once("error", () => answer(false));
  });
}
