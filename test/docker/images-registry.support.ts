import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { ensurePackages, findProgram } from "../engines/commands.ts";
import { freePort } from "../free-port.ts";

/** Of the one user of the registry. */
export const registryUser = { username: "ctrlplane", password: "geheim" };
/** `htpasswd -nbB` of it. */
const entry = "ctrlplane:$2y$05$llGSWqyVIzZWv1NhSXoQC.l1Ynd/fBY/wrH.uQjv6cFmbSLv0irJq";

/** Debian's docker-registry with a password, on a port of its own; `localhost:PORT`. It ends with the test. */
export async function startRegistry(t: TestContext): Promise<string> {
  ensurePackages(["docker-registry"], ["docker-registry"]);
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-registry-"));
  const host = `localhost:${await freePort()}`;
  await writeFile(join(folder, "htpasswd"), `${entry}\n`);
  const config = {
    version: "0.1",
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: host, secret: "of no use" },
    auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } },
  };
  // JSON is YAML, too.
  await writeFile(join(folder, "config.yml"), JSON.stringify(config));
  const program = findProgram("docker-registry") ?? "docker-registry";
  const registry = spawn(program, ["serve", join(folder, "config.yml")], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    const ended = once(registry, "exit");
    registry.kill();
    await ended;
    await rm(folder, { recursive: true });
  });
  for await (const line of createInterface({ input: registry.stderr })) if (line.includes("listening on")) break;
  registry.stderr.resume();
  return host;
}
