import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the kernel holds a process to, in either version of control groups. */
export function enforcedLimits(pid: number): { readonly cpuMillis?: number; readonly memoryMb?: number } {
  const groups = read(`/proc/${pid}/cgroup`)
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  // Only groups of ours say something of one replica.
  const own = (controller: string): string | undefined => {
    const path = groups.find(([, names = ""]) => names.split(",").includes(controller))?.[2];
    return path?.includes("/pctl-") === true ? path : undefined;
  };
  const unified = own("");
  const memory = own("memory");
  const cpu = own("cpu");
  const bytes = Number(
    unified === undefined
      ? memory === undefined
        ? "max"
        : read(join("/sys/fs/cgroup/memory", memory, "memory.limit_in_bytes"))
      : read(join("/sys/fs/cgroup", unified, "memory.max")),
  );
  const [quota = "max", period = "100000"] =
    unified === undefined
      ? cpu === undefined
        ? []
        : [
            read(join("/sys/fs/cgroup/cpu", cpu, "cpu.cfs_quota_us")),
            read(join("/sys/fs/cgroup/cpu", cpu, "cpu.cfs_period_us")),
          ]
      : read(join("/sys/fs/cgroup", unified, "cpu.max")).split(" ");
  const micros = Number(quota);
  return {
    ...(micros > 0 ? { cpuMillis: Math.round((1_000 * micros) / Number(period)) } : {}),
    // Version 1 writes "no limit" as a number near the largest.
    ...(bytes > 0 && bytes < 2 ** 60 ? { memoryMb: Math.round(bytes / 1024 / 1024) } : {}),
  };
}

/** Empty where there is no such file: no such controller, or the process has gone. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
