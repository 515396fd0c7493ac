import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, sep } from "node:path";

/** A process as the kernel shows it. */
export interface SeenProcess {
  readonly pid: number;
  readonly session: number;
  /** In clock ticks since boot: with the pid, it names a process for good. */
  readonly startTime: string;
  readonly argv: readonly string[];
  readonly role: "supervisor" | "gateway" | "shim" | "pctl" | "replica" | "other";
  /** Of a process that works in the folder of a replica: the replica's name, `shop-web-1`. */
  readonly replica?: string;
}

/** Every process, apart from this one, that works in a folder, names it in its arguments, or has its home there. Zombies have ended. */
export function processesOf(root: string): SeenProcess[] {
  const seen: SeenProcess[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const found = look(pid, root);
    if (found !== undefined) seen.push(found);
  }
  return seen;
}

/** Whether this very process still runs, not another one under its pid. */
export function isAlive({ pid, startTime }: SeenProcess): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== "Z" && stat.startTime === startTime;
}

function look(pid: number, root: string): SeenProcess | undefined {
  const stat = statOf(pid);
  if (stat === undefined || stat.state === "Z") return undefined;
  const folder = gone(() => readlinkSync(`/proc/${pid}/cwd`)) ?? "";
  const argv = (gone(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").split("\0").slice(0, -1);
  const environment = (gone(() => readFileSync(`/proc/${pid}/environ`, "utf8")) ?? "").split("\0");
  const isIn = (path: string): boolean => path === root || path.startsWith(root + sep);
  const isOurs = isIn(folder) || argv.some(isIn) || environment.includes(`HOME=${join(root, "home")}`);
  if (!isOurs) return undefined;
  const replica = /\/replicas\/([^/]+)\.[0-9a-f]{8}\/work/.exec(folder)?.[1];
  const role = roleOf(argv, replica);
  return {
    pid,
    session: stat.session,
    startTime: stat.startTime,
    argv,
    role,
    ...(replica === undefined ? {} : { replica }),
  };
}

function roleOf(argv: readonly string[], replica: string | undefined): SeenProcess["role"] {
  const ours = {
    supervisor: "supervisor/main.js",
    gateway: "gateway/main.js",
    shim: "dist/shim.js",
    pctl: "bin/pctl.js",
  };
  for (const [role, file] of Object.entries(ours)) {
    // `role` is a key of `ours`, all of which are roles.
    if (argv.some((each) => each.endsWith(file))) return role as SeenProcess["role"];
  }
  return replica === undefined ? "other" : "replica";
}

function statOf(pid: number): { state: string; session: number; startTime: string } | undefined {
  const text = gone(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (text === undefined) return undefined;
  // The name before it, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", session: Number(fields[3]), startTime: fields[19] ?? "" };
}

/** Undefined where the process has ended meanwhile, or belongs to another user. */
function gone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(code)) return undefined;
    throw error;
  }
}
