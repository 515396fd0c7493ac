import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePackages, run } from "./commands.ts";
import { addBusybox, addProgram, unpack } from "./image-parts.ts";
import { addPostgres, postgresSettings } from "./postgres-image.ts";

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
  ensureImage(socket, "postgres:17", addPostgres, postgresSettings);
}

/** `settings`: instructions of a Dockerfile, such as `CMD`. */
function ensureImage(
  socket: string,
  name: string,
  fill: (folder: string) => void,
  settings: readonly string[] = ["ENV PATH=/usr/local/bin:/bin"],
): void {
  const host = ["-H", `unix://${socket}`];
  if (spawnSync("docker", [...host, "image", "inspect", name]).status === 0) return;
  process.stderr.write(`making image ${name}\n`);
  const folder = mkdtempSync(join(tmpdir(), "ctrlplane-image-"));
  try {
    for (const each of ["tmp", "etc", "bin", "usr/local/bin"]) mkdirSync(join(folder, each), { recursive: true });
    fill(folder);
    run("tar", ["-C", folder, "-cf", `${folder}.tar`, "."]);
    run("docker", [...host, "import", ...settings.flatMap((each) => ["-c", each]), `${folder}.tar`, name]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.tar`, { force: true });
  }
}

/** Debian's, with the libraries that this machine may lack; nothing is installed here. */
function addHaproxy(folder: string): void {
  const packages = ["haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0"];
  const work = mkdtempSync(join(tmpdir(), "ctrlplane-haproxy-"));
  try {
    const unpacked = unpack(work, packages);
    const libraries = readdirSync(join(unpacked, "usr/lib")).map((each) => join(unpacked, "usr/lib", each));
    addProgram(folder, join(unpacked, "usr/sbin/haproxy"), "/usr/local/bin/haproxy", libraries);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
