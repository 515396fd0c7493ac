import { access, readFile, statfs } from "node:fs/promises";
import { constants } from "node:fs";
import { dirname } from "node:path";
import { networkInterfaces, release } from "node:os";
import { CtrlPlaneError, thisMachine } from "@ctrlplane/core/provider";
import type { Diagnostic, PlatformHealth, ProviderInfo } from "@ctrlplane/core/provider";
import { cgroupSupport } from "./cgroup/support.ts";
import { errnoOf, mapError, unlessAbsent } from "./errors.ts";
import type { LocalFacts } from "./facts.ts";
import { daemonFile } from "./layout.ts";
import { readPlatformId } from "./platform.ts";
import { readPublished } from "./published-port.ts";
import { isAlive } from "./process/identity.ts";
import { readListening, socketsOf } from "./process/listening-sockets.ts";
import { readJsonFile } from "./process/json-file.ts";
import { formatBytes } from "./snapshot.ts";
import type { ProcessIdentity } from "./supervisor/records.ts";

/** Of this package. */
export const version = "2.0.0";
/** Less free space than this is told. */
const lowDiskBytes = 1024 * 1024 * 1024;

export interface HealthParts {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function providerInfo({ dir, env }: HealthParts): Promise<ProviderInfo> {
  return { type: "local", version, description: describeFolder(dir, env), platformId: await readPlatformId(dir) };
}

/** Reads this machine; writes nothing, also where the data folder does not exist yet. */
export async function machineHealth({ dir, env }: HealthParts): Promise<PlatformHealth> {
  const platformId = await readPlatformId(dir);
  const existing = await requireWritable(dir);
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const limits = cgroupSupport();
  const facts: LocalFacts = {
    dir,
    os: process.platform,
    limits,
    lowestPort: await lowestPort(),
    addresses: Object.values(networkInterfaces())
      .flatMap((each) => (each ?? []).map(({ address }) => address))
      .filter((each) => !each.startsWith("127.") && each !== "::1"),
    listening: listeningOthers(dir),
    published: readPublished(dir),
  };
  return {
    platformId,
    version: process.version,
    description: describeFolder(dir, env),
    host: thisMachine,
    diagnostics: [...checkSystem(), ...checkDisk(dir, freeBytes), ...checkLimits(limits)],
    facts: { ...facts, freeBytes, node: process.version, kernel: release() },
  };
}

function describeFolder(dir: string, env: HealthParts["env"]): string {
  const home = env["HOME"];
  const shown = home !== undefined && home !== "/" && dir.startsWith(`${home}/`) ? `~${dir.slice(home.length)}` : dir;
  return `processes on this machine, ${shown}`;
}

/** The data folder, or the nearest folder above it that exists; throws `FORBIDDEN` where this user may not write there. */
async function requireWritable(dir: string): Promise<string> {
  try {
    await access(dir, constants.W_OK | constants.X_OK);
    return dir;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && dirname(dir) !== dir) return requireWritable(dirname(dir));
    if (errnoOf(error) !== "EACCES" && errnoOf(error) !== "EROFS") throw mapError(error, dir);
    throw new CtrlPlaneError("FORBIDDEN", `this user may not write to ${dir}`, {
      target: dir,
      hint: "Choose another folder with the option `dir`.",
      cause: error,
    });
  }
}

/** Root, and who has the capability, may listen on every port; others from the system's limit on. */
async function lowestPort(): Promise<number> {
  const status = (await unlessAbsent(readFile("/proc/self/status", "utf8"))) ?? "";
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const bindService = 10n; // CAP_NET_BIND_SERVICE, linux/capability.h
  if (((capabilities >> bindService) & 1n) === 1n) return 1;
  const limit = await unlessAbsent(readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
  return limit === undefined ? 1024 : Number(limit);
}

function listeningOthers(dir: string): LocalFacts["listening"] {
  const gateway = readJsonFile<ProcessIdentity>(daemonFile(dir, "gateway"));
  const own = new Set(gateway !== undefined && isAlive(gateway) ? socketsOf(gateway.pid) : []);
  return readListening().filter(({ inode }) => !own.has(inode));
}

function checkSystem(): readonly Diagnostic[] {
  if (process.platform === "linux") return [];
  return [
    {
      severity: "warning",
      code: "system-untested",
      summary: `\`local\` is made for Linux and untested on ${process.platform}`,
      hint: "Use it to try things out; run what matters on Linux.",
    },
  ];
}

function checkDisk(dir: string, freeBytes: number): readonly Diagnostic[] {
  if (freeBytes >= lowDiskBytes) return [];
  return [
    {
      severity: "warning",
      code: "disk-low",
      summary: `${formatBytes(freeBytes)} are free for ${dir}`,
      hint: "Free some space: releases are copies of their files.",
    },
  ];
}

function checkLimits({ cpu, memory, reason }: LocalFacts["limits"]): readonly Diagnostic[] {
  if (cpu && memory) return [];
  const missing = [...(cpu ? [] : ["scale.cpu"]), ...(memory ? [] : ["scale.memory"])].join(" and ");
  return [
    {
      severity: "info",
      code: "limits-missing",
      summary: `${missing} cannot be limited here${reason === undefined ? "" : `: ${reason}`}`,
    },
  ];
}
