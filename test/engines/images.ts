import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ensurePackages, run } from "./commands.ts";

/** Images that tests run, made of programs of this machine, under the names that users would write. Made where they are missing. */
export function ensureImages(socket: string): void {
  ensurePackages(["busybox"], ["busybox-static"]);
  ensureImage(socket, "busybox:latest", (folder) => addBusybox(folder));
  ensureImage(socket, "node:24-slim", (folder) => {
    addBusybox(folder);
    addProgram(folder, process.execPath, "/usr/local/bin/node");
  });
  // As the official ones: Debian's has bash and no nc, Alpine's has busybox alone.
  ensureImage(socket, "haproxy:lts", (folder) => {
    addBusybox(folder, ["nc", "telnet", "wget"]);
    addProgram(folder, "/bin/bash", "/bin/bash");
    addHaproxy(folder);
  });
  ensureImage(socket, "haproxy:lts-alpine", (folder) => {
    addBusybox(folder);
    addHaproxy(folder);
  });
}

function ensureImage(socket: string, name: string, fill: (folder: string) => void): void {
  const host = ["-H", `unix://${socket}`];
  if (spawnSync("docker", [...host, "image", "inspect", name]).status === 0) return;
  process.stderr.write(`making image ${name}\n`);
  const folder = mkdtempSync(join(tmpdir(), "ctrlplane-image-"));
  try {
    for (const each of ["tmp", "etc", "bin", "usr/local/bin"]) mkdirSync(join(folder, each), { recursive: true });
    fill(folder);
    run("tar", ["-C", folder, "-cf", `${folder}.tar`, "."]);
    run("docker", [...host, "import", "-c", `ENV PATH=/usr/local/bin:/bin`, `${folder}.tar`, name]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.tar`, { force: true });
  }
}

/** All of its programs but those named. */
function addBusybox(folder: string, without: readonly string[] = []): void {
  cpSync("/bin/busybox", join(folder, "bin/busybox"), { dereference: true });
  const applets = run("/bin/busybox", ["--list"]).trim().split("\n");
  for (const each of applets) {
    if (each !== "busybox" && !without.includes(each)) symlinkSync("busybox", join(folder, "bin", each));
  }
}

/** Debian's, with the libraries that this machine may lack; nothing is installed here. */
function addHaproxy(folder: string): void {
  const packages = ["haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0"];
  const work = mkdtempSync(join(tmpdir(), "ctrlplane-haproxy-"));
  try {
    download(work, packages);
    const unpacked = join(work, "unpacked");
    for (const each of readdirSync(work)) {
      if (each.endsWith(".deb")) run("dpkg", ["-x", join(work, each), unpacked]);
    }
    const libraries = readdirSync(join(unpacked, "usr/lib")).map((each) => join(unpacked, "usr/lib", each));
    addProgram(folder, join(unpacked, "usr/sbin/haproxy"), "/usr/local/bin/haproxy", libraries);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function download(folder: string, packages: readonly string[]): void {
  const args = ["download", ...packages];
  if (spawnSync("apt-get", args, { cwd: folder }).status === 0) return;
  run("apt-get", ["update"]);
  run("apt-get", args, { cwd: folder });
}

/** A program of this machine and the libraries that it loads; they are looked for in `libraries` first. */
function addProgram(folder: string, program: string, at: string, libraries: readonly string[] = []): void {
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
