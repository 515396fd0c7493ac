import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "./commands.ts";

/** All of its programs but those named. */
export function addBusybox(folder: string, without: readonly string[] = []): void {
  cpSync("/bin/busybox", join(folder, "bin/busybox"), { dereference: true });
  const applets = run("/bin/busybox", ["--list"]).trim().split("\n");
  for (const each of applets) {
    if (each !== "busybox" && !without.includes(each)) symlinkSync("busybox", join(folder, "bin", each));
  }
}

/** Downloads packages of Debian into a folder, and returns the one below it that has their files. */
export function unpack(folder: string, packages: readonly string[]): string {
  download(folder, packages);
  const unpacked = join(folder, "unpacked");
  for (const each of readdirSync(folder)) {
    if (each.endsWith(".deb")) run("dpkg", ["-x", join(folder, each), unpacked]);
  }
  return unpacked;
}

function download(folder: string, packages: readonly string[]): void {
  const args = ["download", ...packages];
  if (spawnSync("apt-get", args, { cwd: folder }).status === 0) return;
  run("apt-get", ["update"]);
  run("apt-get", args, { cwd: folder });
}

/** A program of this machine and the libraries that it loads; they are looked for in `libraries` first. */
export function addProgram(folder: string, program: string, at: string, libraries: readonly string[] = []): void {
  cpSync(realpathSync(program), join(folder, at));
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(":") };
  for (const [, name, library] of run("ldd", [realpathSync(program)], { env }).matchAll(
    /(\S+)(?: => (\/\S+))?\s+\(0x/g,
  )) {
    const source = library ?? name;
    if (source === undefined || !existsSync(source)) continue;
    // The linker looks only into its own folders.
    const target = libraries.some((each) => source.startsWith(each)) ? `/lib/${basename(source)}` : source;
    mkdirSync(join(folder, dirname(target)), { recursive: true });
    cpSync(realpathSync(source), join(folder, target));
  }
}
