import { spawnSync } from "node:child_process";

/** Runs a program to its end and returns its standard output. Throws with what it said where it fails. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...options });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${done.status}: ${done.stderr}`);
  return done.stdout;
}

/** Debian packages are on this machine afterwards; as root only. */
export function ensurePackages(programs: readonly string[], packages: readonly string[]): void {
  if (programs.every((each) => findProgram(each) !== undefined)) return;
  process.stderr.write(`installing ${packages.join(" ")}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  for (const args of [install, ["update"], install]) {
    if (spawnSync("apt-get", args, { env, encoding: "utf8" }).status === 0 && args === install) return;
  }
  throw new Error(`apt-get could not install ${packages.join(" ")}`);
}

export function findProgram(name: string): string | undefined {
  const found = spawnSync("sh", ["-c", `PATH="$PATH:/usr/sbin:/sbin" command -v "$0"`, name], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
}
