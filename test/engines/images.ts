import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensurePackages, run } from "./commands.ts";

/** Images that tests run, made of programs of this machine, under the names that users would write. Made where they are missing. */
export function ensureImages(socket: string): void {
  ensurePackages(["busybox"], ["busybox-static"]);
  ensureImage(socket, "busybox:latest", (folder) => addBusybox(folder));
  ensureImage(socket, "node:24-slim", (folder) => {
    addBusybox(folder);
    addProgram(folder, process.execPath, "/usr/local/bin/node");
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

function addBusybox(folder: string): void {
  cpSync("/bin/busybox", join(folder, "bin/busybox"), { dereference: true });
  const applets = run("/bin/busybox", ["--list"]).trim().split("\n");
  for (const each of applets) if (each !== "busybox") symlinkSync("busybox", join(folder, "bin", each));
}

/** A program of this machine and the libraries that it loads. */
function addProgram(folder: string, program: string, at: string): void {
  cpSync(realpathSync(program), join(folder, at));
  for (const [, library] of run("ldd", [realpathSync(program)]).matchAll(/(\/\S+)\s+\(0x/g)) {
    if (library === undefined) continue;
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(folder, library));
  }
}
