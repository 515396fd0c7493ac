import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { daemonLog, prepareDataFolder } from "../layout.ts";
import { inheritedEnvironment } from "../process/environment.ts";
import { logTail } from "../process/log-tail.ts";

const isSource = import.meta.url.endsWith(".ts");
const mainFile = fileURLToPath(new URL(isSource ? "main.ts" : "main.js", import.meta.url));
const launchMs = 15_000;

/**
 * Starts the supervisor of a data folder, detached, or finds that another is being started. Returns when one answers. Throws
 * `UNAVAILABLE` with the end of its log where none does.
 */
export async function launchSupervisor(dir: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  prepareDataFolder(dir);
  const log = openSync(daemonLog(dir, "supervisor"), "a", 0o600);
  const child = spawn(process.execPath, [...(isSource ? ["--conditions=source"] : []), mainFile, dir], {
    cwd: "/",
    env: inheritedEnvironment(env),
    detached: true,
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  child.unref();
  // Written to by the child alone.
  const answered = await saysReady(child.stdio[3] as Readable);
  if (answered) return;
  throw new CtrlPlaneError("UNAVAILABLE", "the supervisor did not start", {
    target: dir,
    hint: `See ${daemonLog(dir, "supervisor")}: ${lastError(dir)}`,
  });
}

function lastError(dir: string): string {
  const lines = logTail(daemonLog(dir, "supervisor"), 40);
  return lines.findLast((line) => /Error\b/.test(line)) ?? lines.at(-1) ?? "";
}

function saysReady(channel: Readable): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => answer(false), launchMs);
    const answer = (isReady: boolean): void => {
      clearTimeout(timer);
      channel.destroy();
      resolve(isReady);
    };
    channel.once("data", () => answer(true));
    channel.once("error", () => answer(false));
    channel.once("close", () => answer(false));
  });
}
