import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isErrno } from "../process/json-file.ts";
import type { ReplicaLimits } from "../supervisor/records.ts";
import { findHierarchies, type Hierarchy } from "./hierarchies.ts";

/** `cgroup.procs` files: those that a replica is born in, and those that its shim goes back to. */
export interface GroupEntry {
  readonly join: readonly string[];
  readonly leave: readonly string[];
}

/** Limits replicas where the system lets us. */
export interface ControlGroups {
  /** Groups that hold a replica's limits exist; none where it has no limits. Throws where a limit cannot be set. */
  enter(id: string, limits: ReplicaLimits): GroupEntry;
  /** Memory ran out in the replica's group since it was entered. */
  ranOutOfMemory(id: string): boolean;
  /** Processes of the replica that left its session end too; `hasMembers` tells when they have. */
  killAll(id: string): void;
  hasMembers(id: string): boolean;
  remove(id: string): void;
}

/** The kernel's usual period: a replica with 500m runs for 50 ms of each 100 ms. */
const periodUs = 100_000;

/** `name` is that of the group that holds all of ours: one a data folder. */
export function controlGroups(name: string, hierarchies = findHierarchies()): ControlGroups {
  const killsBefore = new Map<string, number>();
  const groupOf = (hierarchy: Hierarchy, id: string): string => join(hierarchy.base, name, id);
  const memoryGroup = (id: string): string | undefined => {
    const hierarchy = hierarchies.find((each) => each.controllers.includes("memory"));
    return hierarchy === undefined ? undefined : groupOf(hierarchy, id);
  };
  return {
    enter(id, limits) {
      const needed = hierarchies.filter(({ controllers }) => settings(controllers, limits).length > 0);
      for (const hierarchy of needed) makeGroup(hierarchy, groupOf(hierarchy, id), limits);
      killsBefore.set(id, memoryKills(memoryGroup(id)));
      return {
        join: needed.map((each) => join(groupOf(each, id), "cgroup.procs")),
        leave: needed.map((each) => each.home),
      };
    },
    ranOutOfMemory: (id) => memoryKills(memoryGroup(id)) > (killsBefore.get(id) ?? 0),
    killAll(id) {
      for (const hierarchy of hierarchies) killMembers(groupOf(hierarchy, id));
    },
    hasMembers: (id) =>
      hierarchies.some((hierarchy) => (readIfThere(join(groupOf(hierarchy, id), "cgroup.procs")) ?? "") !== ""),
    remove(id) {
      for (const hierarchy of hierarchies) {
        removeGroup(groupOf(hierarchy, id));
        removeGroup(join(hierarchy.base, name));
      }
      killsBefore.delete(id);
    },
  };
}

function makeGroup(hierarchy: Hierarchy, group: string, limits: ReplicaLimits): void {
  if (hierarchy.version === 2) {
    enable(hierarchy.base, hierarchy.controllers);
    mkdirSync(dirname(group), { recursive: true });
    enable(dirname(group), hierarchy.controllers);
  }
  mkdirSync(group, { recursive: true });
  for (const [file, value, isOptional] of settings(hierarchy.controllers, limits, hierarchy.version)) {
    if (!isOptional || existsSync(join(group, file))) writeFileSync(join(group, file), value);
  }
}

function enable(group: string, controllers: readonly string[]): void {
  const file = join(group, "cgroup.subtree_control");
  const enabled = readFileSync(file, "utf8").trim().split(/\s+/);
  const missing = controllers.filter((each) => !enabled.includes(each));
  if (missing.length > 0) writeFileSync(file, missing.map((each) => `+${each}`).join(" "));
}

/** File, value, and whether the kernel may lack it (accounting of swap). No swap: a limit that swaps is none. */
function settings(
  controllers: Hierarchy["controllers"],
  { cpuMillis, memoryMb }: ReplicaLimits,
  version: Hierarchy["version"] = 2,
): readonly (readonly [string, string, boolean])[] {
  const quotaUs =
    cpuMillis === undefined || !controllers.includes("cpu") ? undefined : Math.max(1000, (cpuMillis * periodUs) / 1000);
  const bytes = memoryMb === undefined || !controllers.includes("memory") ? undefined : String(memoryMb * 1024 * 1024);
  if (version === 2) {
    return [
      ...(quotaUs === undefined ? [] : [["cpu.max", `${quotaUs} ${periodUs}`, false] as const]),
      ...(bytes === undefined
        ? []
        : ([
            ["memory.max", bytes, false],
            ["memory.swap.max", "0", true],
            ["memory.oom.group", "1", true],
          ] as const)),
    ];
  }
  return [
    ...(quotaUs === undefined
      ? []
      : ([
          ["cpu.cfs_period_us", String(periodUs), false],
          ["cpu.cfs_quota_us", String(quotaUs), false],
        ] as const)),
    ...(bytes === undefined
      ? []
      : ([
          ["memory.limit_in_bytes", bytes, false],
          ["memory.memsw.limit_in_bytes", bytes, true],
        ] as const)),
  ];
}

/** How often the kernel ended a process of the group for want of memory. */
function memoryKills(group: string | undefined): number {
  if (group === undefined) return 0;
  for (const file of ["memory.events", "memory.oom_control"]) {
    const count = /^oom_kill (\d+)$/m.exec(readIfThere(join(group, file)) ?? "")?.[1];
    if (count !== undefined) return Number(count);
  }
  return 0;
}

function killMembers(group: string): void {
  for (const pid of (readIfThere(join(group, "cgroup.procs")) ?? "").split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if (!isErrno(error, "ESRCH")) throw error;
    }
  }
}

function removeGroup(group: string): void {
  try {
    rmdirSync(group);
  } catch (error) {
    // EBUSY: groups of others, or what was killed a moment ago. An empty group costs nothing, and its replica's id never comes again.
    if (!isErrno(error, "ENOENT", "EBUSY")) throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}
