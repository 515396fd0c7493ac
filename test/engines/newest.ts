import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { engineCache } from "./cache.ts";
import { ensurePackages, findProgram, run } from "./commands.ts";
import { dockerSocket } from "./docker.ts";
import { giveImage, startHost, removeHost, type DockerHost } from "./hosts.ts";

/** What Docker Engine 29 and newer is made of, as Go modules: Debian has no package of it. */
const modules: Readonly<Record<string, string>> = {
  dockerd: "github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24",
  "docker-proxy": "github.com/moby/moby/v2/cmd/docker-proxy@v2.0.0-beta.24",
  containerd: "github.com/containerd/containerd/v2/cmd/containerd@v2.2.1",
  "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@v2.2.1",
  runc: "github.com/opencontainers/runc@v1.3.7",
};
const tags = "seccomp,no_btrfs";
const images = ["busybox:latest", "node:24-slim", "haproxy:lts"];

/**
 * A host whose engine is the newest that there is, with the image store of containerd; to be removed by `removeHost`. It is built where it was not before, which
 * takes ten minutes: for the long runs alone. Throws where there is no Go.
 */
export async function startNewestHost(name: string): Promise<DockerHost> {
  const programs = buildAll();
  const socket = await dockerSocket();
  if (socket === undefined) throw new Error("no Docker Engine answers: docker.ts up starts one");
  const docker = ["-H", `unix://${socket}`];
  const host = await startHost({ name, images: [] });
  try {
    // What the host's own engine has made means nothing to another store. The host starts an engine that has ended again.
    host.run("sh", ["-c", "pkill -x dockerd; while pgrep -x dockerd; do sleep 0.1; done; rm -rf /var/lib/docker/*"]);
    for (const [each, file] of programs) {
      const place = host.run("sh", ["-c", `command -v ${each} || echo /usr/bin/${each}`]).trim();
      host.run("rm", ["-f", place]);
      // `runc` runs what lies below a mount, so that it is copied.
      run("docker", [...docker, "cp", file, `${name}:${place}`]);
    }
    host.run("sh", ["-c", "pkill -x dockerd; sleep 2; until docker version; do sleep 0.2; done"]);
    for (const each of images) giveImage(docker, name, each);
    return host;
  } catch (error) {
    await removeHost(name);
    throw error;
  }
}

/** Path of each program. */
function buildAll(): ReadonlyMap<string, string> {
  if (findProgram("go") === undefined) throw new Error("no Go is there to build an engine with");
  ensurePackages(["go", "gcc"], ["gcc"]);
  if (!existsSync("/usr/include/seccomp.h")) run("apt-get", ["install", "-y", "libseccomp-dev"]);
  return new Map(Object.entries(modules).map(([name, source]) => [name, build(name, source)]));
}

function build(name: string, source: string): string {
  const version = source.slice(source.lastIndexOf("@") + 1);
  const folder = engineCache("newest", version);
  const file = join(folder, name);
  if (existsSync(file)) return file;
  process.stderr.write(`building ${source}\n`);
  const building = engineCache("newest", `${version}.part`);
  run("go", ["install", "-tags", tags, source], { env: { ...process.env, GOBIN: building, CGO_ENABLED: "1" } });
  renameSync(join(building, name), file);
  return file;
}
