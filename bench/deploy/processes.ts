import { readdirSync, readFileSync } from "node:fs";

/** What a process has used, and what it is there for. */
export interface ProcessSample {
  readonly pid: number;
  readonly role: "client" | "supervisor" | "gateway" | "shim" | "replica";
  /** User and system time of all its threads so far. */
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly pssMb: number;
  /** Pages that no other process has. */
  readonly ussMb: number;
}

/** Processes of ours that name a folder in their arguments, and the replicas that their shims started. */
export function processesOf(folder: string): ProcessSample[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const parents = new Map<string, string>();
  const roles = new Map<string, ProcessSample["role"]>();
  for (const pid of all) {
    const stat = read(`/proc/${pid}/stat`);
    parents.set(pid, stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? "");
    const args = read(`/proc/${pid}/cmdline`);
    const isOf = args.split("\0").some((each) => each === folder || each.startsWith(`${folder}/`));
    if (isOf) roles.set(pid, roleOf(args));
  }
  for (const [pid, parent] of parents) if (roles.get(parent) === "shim" && !roles.has(pid)) roles.set(pid, "replica");
  return [...roles].flatMap(([pid, role]) => sample(pid, role));
}

export function sumOf(all: readonly ProcessSample[], role: ProcessSample["role"], key: "cpuMs"): number {
  return all.filter((each) => each.role === role).reduce((sum, each) => sum + each[key], 0);
}

function roleOf(args: string): ProcessSample["role"] {
  if (/\/shim\.[jt]s\0/.test(args)) return "shim";
  if (/\/supervisor\/main\.[jt]s\0/.test(args)) return "supervisor";
  return /\/gateway\/main\.[jt]s\0/.test(args) ? "gateway" : "client";
}

/** Nothing for one that has ended. */
function sample(pid: string, role: ProcessSample["role"]): ProcessSample[] {
  const memory = read(`/proc/${pid}/smaps_rollup`);
  if (memory === "") return [];
  const mb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1] ?? 0) / 1024;
  return [
    {
      pid: Number(pid),
      role,
      cpuMs: cpuMsOf(pid),
      rssMb: mb("Rss"),
      pssMb: mb("Pss"),
      ussMb: mb("Private_Clean") + mb("Private_Dirty"),
    },
  ];
}

/** From the scheduler's account of each thread, in nanoseconds; `stat` counts in ticks of 10 ms. */
function cpuMsOf(pid: string): number {
  const threads = list(`/proc/${pid}/task`).map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
  return threads.reduce((sum, text) => sum + Number(text.split(" ")[0] ?? 0), 0) / 1e6;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasEnded(error)) return [];
    throw error;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if (hasEnded(error)) return "";
    throw error;
  }
}

/** Of a process that ended meanwhile, or that is another user's. */
function hasEnded(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(String(error.code))
  );
}
