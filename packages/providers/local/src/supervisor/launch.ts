import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonLog, prepareDataFolder } from "../layout.ts";
import { inheritedEnvironment } from "../process/environment.ts";
import { logTail } from "../process/log-tail.ts";
import { programFlags, supervisorFile } from "../programs.ts";

/** Enough on a machine that has a lot else to do. */
const launchMs = 30_000;

export interface LaunchOptions {
  /** Data folder, absolute. */
  readonly dir: string;
  /** Of it the documented names are inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long it stays without anything to look after. Default 60 s. */
  readonly idleMs?: number;
}

/**
 * Starts the supervisor of a data folder, detached, or finds that another is being started. Returns when one answers. Throws
 * `UNAVAILABLE` with the end of its log where none does.
 */
export async function launchSupervisor({ dir, env, idleMs }: LaunchOptions): Promise<void> {
  prepareDataFolder(dir);
  const log = openSync(daemonLog(dir, "supervisor"), "a", 0o600);
  const child = spawn(
    process.execPath,
    [...programFlags, supervisorFile, dir, ...(idleMs === undefined ? [] : [String(idleMs)])],
    {
      cwd: "/",
      env: inheritedEnvironment(env),
      detached: true,
      stdio: ["ignore", log, log, "pipe"],
    },
  );
  closeSync(log);
  child.unref();
  const killed = new Promise<boolean>((resolve) => child.once("exit", (_code, signal) => resolve(signal !== null)));
  // Written to by the child alone.
  const answer = await saysReady(child.stdio[3] as Readable);
  if (answer === "ready") return;
  // Nobody may be told that it did not start, and find it running later.
  if (answer === "late") child.kill("SIGKILL");
  throw new CtrlPlaneError("UNAVAILABLE", "the supervisor did not start", {
    target: dir,
    // Somebody killed it: nothing is wrong with it.
    retryable: answer === "ended" && (await killed),
    hint: `See ${daemonLog(dir, "supervisor")}: ${lastError(dir)}`,
  });
}

function lastError(dir: string): string {
  const lines = logTail(daemonLog(dir, "supervisor"), 40);
  return lines.findLast((line) => /Error\b/.test(line)) ?? lines.at(-1) ?? "";
}

function saysReady(channel: Readable): Promise<"ready" | "ended" | "late"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish("late"), launchMs);
    const finish = (answer: "ready" | "ended" | "late"): void => {
      clearTimeout(timer);
      channel.destroy();
      resolve(answer);
    };
    channel.once("data", () => finish("ready"));
    channel.once("error", () => finish("ended"));
    channel.once("close", () => finish("ended"));
  });
}
