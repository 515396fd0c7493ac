import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { engineCache } from "./cache.ts";
import { ensurePackages, run } from "./commands.ts";

const packages = ["docker.io", "docker-cli", "iptables", "openssh-server", "sudo", "openssl"];

/** Users of a host, by what they may do. None has a password but `asks`, who is asked for it by sudo. */
export const hostUsers = ["deploy", "admin", "nobody1", "asks"] as const;
export type HostUser = (typeof hostUsers)[number];

const files: Readonly<Record<string, { text: string; mode: number }>> = {
  // Penalties would shut out this machine after a few logins that are meant to fail.
  "etc/ssh/sshd_config.d/host.conf": {
    mode: 0o644,
    text: `MaxStartups 3:50:5
MaxSessions 4
PerSourcePenalties no
LogLevel VERBOSE
PasswordAuthentication no
AuthorizedKeysFile /etc/ssh/authorized_keys
`,
  },
  "etc/sudoers.d/host": { mode: 0o440, text: "deploy ALL=(ALL) NOPASSWD: ALL\nasks ALL=(ALL) ALL\n" },
  "host.sh": {
    mode: 0o755,
    // As on a real machine somebody collects processes whose parents are gone, and starts an engine that was killed again.
    text: `#!/bin/sh
mkdir -p /run/sshd
ssh-keygen -A >/dev/null
touch /var/log/sshd.log
/usr/sbin/sshd -E /var/log/sshd.log
trap 'kill $engine; wait $engine; exit' TERM
while :; do
  rm -f /var/run/docker.pid
  dockerd &
  engine=$!
  wait $engine
  sleep 1
done
`,
  },
};

/** Name of the image of a whole machine: Debian trixie with engine 26.1, sshd and sudo. Made where it is missing: two minutes. */
export function ensureHostImage(docker: readonly string[]): string {
  const recipe = createHash("sha256")
    .update(JSON.stringify([packages, hostUsers, files]))
    .digest("hex")
    .slice(0, 12);
  const name = `ctrlplane-host:${recipe}`;
  if (spawnSync("docker", [...docker, "image", "inspect", name]).status === 0) return name;
  const archive = join(engineCache("hosts"), `host-${recipe}.tar`);
  if (!existsSync(archive)) makeArchive(archive);
  const changes = ["VOLUME /var/lib/docker", `CMD ["/host.sh"]`, "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
  run("docker", [...docker, "import", ...changes.flatMap((each) => ["-c", each]), archive, name]);
  return name;
}

function makeArchive(archive: string): void {
  ensurePackages(["debootstrap"], ["debootstrap"]);
  const root = mkdtempSync(join(engineCache("hosts"), "root-"));
  try {
    chmodSync(root, 0o755);
    process.stderr.write("debootstrap trixie\n");
    run("/usr/sbin/debootstrap", ["--variant=minbase", `--include=${packages.join(",")}`, "trixie", root]);
    // Each host makes its own.
    for (const kind of ["ed25519", "ecdsa", "rsa"]) {
      for (const end of ["", ".pub"]) rmSync(join(root, `etc/ssh/ssh_host_${kind}_key${end}`), { force: true });
    }
    for (const user of hostUsers) run("chroot", [root, "useradd", "--create-home", "--shell", "/bin/bash", user]);
    run("chroot", [root, "usermod", "--append", "--groups", "docker", "admin"]);
    // Debian locks an account without a password for sshd, too.
    for (const user of hostUsers) run("chroot", [root, "usermod", "--password", "*", user]);
    run("chroot", [root, "chpasswd"], { input: "asks:a-password-of-a-test\n" });
    for (const [path, { text, mode }] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), mode);
    }
    rmSync(join(root, "var/cache/apt/archives"), { recursive: true, force: true });
    run("tar", ["-C", root, "-cf", `${archive}.part`, "."]);
    for (const old of globSync("host-*.tar", { cwd: engineCache("hosts") })) rmSync(join(engineCache("hosts"), old));
    renameSync(`${archive}.part`, archive);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The key with which every user of every host may log in. `authorized` is its public half, as sshd wants it. */
export function ensureKey(): { readonly key: string; readonly authorized: string } {
  const folder = engineCache("hosts");
  const key = join(folder, "id_ed25519");
  if (!existsSync(key)) run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ctrlplane-hosts", "-f", key]);
  const authorized = join(folder, "authorized_keys");
  if (!existsSync(authorized)) writeFileSync(authorized, readFileSync(`${key}.pub`), { mode: 0o644 });
  return { key, authorized };
}
