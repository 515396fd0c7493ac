import { accessSync, constants, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isErrno } from "../process/json-file.ts";

export type Controller = "cpu" | "memory";

/** A tree of control groups in which this user may make groups. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
  /** Folder below which groups of ours are made. */
  readonly base: string;
  /** `cgroup.procs` of the group that this process is in. */
  readonly home: string;
}

/** Texts of the system that say which groups there are; given apart so that other machines' can be tried. */
export interface CgroupTexts {
  /** `/proc/self/cgroup`. */
  readonly membership: string;
  /** `/proc/self/mountinfo`. */
  readonly mounts: string;
  /** Content of a file; undefined where it is absent. */
  read(path: string): string | undefined;
  canWrite(path: string): boolean;
}

interface Mount {
  readonly type: string;
  /** The group that is mounted: not `/` in some containers. */
  readonly root: string;
  readonly folder: string;
  readonly options: readonly string[];
}

export function systemTexts(): CgroupTexts {
  return {
    membership: readIfThere("/proc/self/cgroup") ?? "",
    mounts: readIfThere("/proc/self/mountinfo") ?? "",
    read: readIfThere,
    canWrite,
  };
}

/** Where limits can be set, reading only. Empty where nothing can. */
export function findHierarchies(texts: CgroupTexts = systemTexts()): readonly Hierarchy[] {
  const mounts = parseMounts(texts.mounts);
  return texts.membership
    .trim()
    .split("\n")
    .flatMap((line) => {
      // hierarchy-id:controllers:path; version 2 has id 0 and names no controllers.
      const [, id, controllers = "", path = "/"] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
      return (id === "0" ? version2(path, mounts, texts) : version1(controllers, path, mounts, texts)) ?? [];
    });
}

function version1(names: string, path: string, mounts: readonly Mount[], texts: CgroupTexts): Hierarchy | undefined {
  const controllers = controllersIn(names.split(","));
  const first = controllers[0];
  if (first === undefined) return undefined;
  const mount = mounts.find((each) => each.type === "cgroup" && each.options.includes(first));
  if (mount === undefined) return undefined;
  const base = folderOf(mount, path);
  if (!texts.canWrite(base) || !texts.canWrite(join(base, "cgroup.procs"))) return undefined;
  return { version: 1, controllers, base, home: join(base, "cgroup.procs") };
}

/**
 * Version 2: a group with processes has no subgroups with controllers, so ours are made beside the group that we are in: below
 * the nearest group above it that may be written to. Processes may be moved only by who may write to the group above both.
 */
function version2(path: string, mounts: readonly Mount[], texts: CgroupTexts): Hierarchy | undefined {
  const mount = mounts.find((each) => each.type === "cgroup2");
  if (mount === undefined) return undefined;
  const own = folderOf(mount, path);
  for (let base = own === mount.folder ? own : dirname(own); base.startsWith(mount.folder); base = dirname(base)) {
    if (!texts.canWrite(base) || !texts.canWrite(join(base, "cgroup.procs"))) continue;
    const words = (name: string): readonly string[] => (texts.read(join(base, name)) ?? "").trim().split(/\s+/);
    const enabled = controllersIn(words("cgroup.subtree_control"));
    // What is only available has to be enabled, and that needs a group without processes, or the root of all.
    const canEnable = texts.canWrite(join(base, "cgroup.subtree_control")) && isRootOrEmpty(base, texts);
    const controllers = canEnable ? controllersIn(words("cgroup.controllers")) : enabled;
    if (controllers.length > 0) return { version: 2, controllers, base, home: join(own, "cgroup.procs") };
  }
  return undefined;
}

function isRootOrEmpty(group: string, texts: CgroupTexts): boolean {
  // The root of all groups has no `cgroup.type`.
  return texts.read(join(group, "cgroup.type")) === undefined || (texts.read(join(group, "cgroup.procs")) ?? "") === "";
}

function controllersIn(names: readonly string[]): readonly Controller[] {
  return (["cpu", "memory"] as const).filter((each) => names.includes(each));
}

function folderOf(mount: Mount, path: string): string {
  const below = mount.root !== "/" && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
  return below === "/" || below === "" ? mount.folder : join(mount.folder, below);
}

function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    // id parent device root folder options … - type source super-options
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "/", folder = ""] = before.split(" ");
    const [type = "", , options = ""] = after.split(" ");
    return type.startsWith("cgroup") ? [{ type, root, folder, options: options.split(",") }] : [];
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
