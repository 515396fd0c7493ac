import { execFile } from "node:child_process";
import { statfs, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { promisify } from "node:util";
import { keyPath } from "@ctrlplane/core";
import type { Finding } from "./finding.ts";

const needed = [22, 18] as const;
const gigabyte = 1e9;

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > needed[0] || (major === needed[0] && minor >= needed[1]);
  if (isNew) return { subject: "node", state: "good", text: version };
  return {
    subject: "node",
    state: "bad",
    text: `${version} is too old`,
    hint: `Install Node ${needed.join(".")} or newer: https://nodejs.org`,
  };
}

/** Is the clock kept right? Leases and histories compare times of several machines. */
export async function checkSynchronized(): Promise<Finding> {
  const now = new Date().toISOString();
  const answer = await askTimedate();
  if (answer === "no") {
    const hint = "Turn time synchronisation on: timedatectl set-ntp true";
    return { subject: "clock", state: "warn", text: `${now}, and nothing keeps it right`, hint };
  }
  return { subject: "clock", state: "good", text: answer === "yes" ? `${now}, synchronised` : now };
}

/** `yes`, `no`; undefined on a machine that cannot say (a container, no systemd). */
async function askTimedate(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("timedatectl", ["show", "-p", "NTPSynchronized", "--value"], {
      timeout: 2000,
    });
    return stdout.trim();
  } catch (error) {
    // Not installed, not running, too slow: whatever it is, it says nothing of the clock.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Room in the working directory, the user's folder and the temporary one; a file system that holds several is named once. */
export async function checkDisk(): Promise<Finding[]> {
  const findings: Finding[] = [];
  const seen = new Set<number>();
  for (const folder of [process.cwd(), homedir(), tmpdir()]) {
    const { dev } = await stat(folder);
    if (seen.has(dev)) continue;
    seen.add(dev);
    findings.push(judgeSpace(folder, await statfs(folder)));
  }
  return findings;
}

export function judgeSpace(
  folder: string,
  space: { bavail: number; bsize: number; files: number; ffree: number },
): Finding {
  const free = space.bavail * space.bsize;
  const text = `${(free / gigabyte).toFixed(1)} GB free in ${folder}`;
  const hint = "Make room: snapshots, logs and volumes of `local` lie in its data folder (pctl local status).";
  if (space.files > 0 && space.ffree < 1000)
    return { subject: "disk", state: "bad", text: `${space.ffree} inodes free in ${folder}`, hint };
  if (free < 0.2 * gigabyte) return { subject: "disk", state: "bad", text, hint };
  return free < 2 * gigabyte
    ? { subject: "disk", state: "warn", text, hint }
    : { subject: "disk", state: "good", text };
}

/** The key that seals environment and secrets in records. */
export async function checkKey(env: NodeJS.ProcessEnv = process.env, home: string = homedir()): Promise<Finding> {
  if ((env["PCTL_KEY"] ?? "") !== "") return { subject: "key", state: "good", text: "from PCTL_KEY" };
  const path = keyPath({ env, home });
  const mode = await modeOf(path);
  if (mode === undefined) return { subject: "key", state: "good", text: `none yet; ${path} is made at first need` };
  const others = mode & 0o077;
  if (others === 0)
    return { subject: "key", state: "good", text: `${path}; keep a copy: without it recorded values cannot be read` };
  const rights = (mode & 0o777).toString(8);
  return { subject: "key", state: "bad", text: `${path} can be read by others (${rights})`, hint: `chmod 600 ${path}` };
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}
