import { mkdir, readdir, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ExecSession, ProviderContext, RunRequest } from "@ctrlplane/core/provider";
import { controlGroups } from "./cgroup/control-groups.ts";
import type { ControlGroups } from "./cgroup/control-groups.ts";
import { openSession } from "./command-session.ts";
import { limitsOf, linksOf, requireSnapshot } from "./replica-parts.ts";
import type { ReplicaParts } from "./replica-parts.ts";
import { mapError, unlessAbsent } from "./errors.ts";
import { portVariables } from "./exec.ts";
import type { ExecParts } from "./exec.ts";
import { folderHash } from "./layout.ts";
import { requireOurs } from "./ownership.ts";
import { ensurePlatform } from "./platform.ts";
import { inheritedEnvironment } from "./process/environment.ts";
import { identify, isAlive } from "./process/identity.ts";
import { readJsonFile, writeJsonFile } from "./process/json-file.ts";
import { freePort } from "./process/ports.ts";
import { makeWorkFolder } from "./process/work-folder.ts";
import { argumentsOf, environmentOf, portsOf } from "./revision.ts";
import type { ProcessIdentity } from "./supervisor/records.ts";
import { pause } from "./supervisor/timing.ts";

export type RunParts = ExecParts & ReplicaParts;

/**
 * A fresh copy of a release's files with its environment, its limits and the volumes of its first replica, without route; gone when the
 * command ends. A child of this process: a folder whose process died is removed by the next run.
 */
export async function runOnce(
  parts: RunParts,
  { instance, release, command, terminal }: RunRequest,
  context: ProviderContext,
): Promise<ExecSession> {
  const { dir, env } = parts;
  const { revision } = release;
  requireOurs(dir, instance);
  const manifest = await requireSnapshot(parts.snapshots, release);
  const wanted = command ?? argumentsOf(revision, manifest.single);
  if (wanted.length === 0)
    throw new CtrlPlaneError("INVALID", "there is no command to run", { hint: "Name one after `--`." });
  const id = randomBytes(8).toString("hex");
  const folder = join(dir, "runs", id);
  const groups = controlGroups(`pctl-${folderHash(dir)}`);
  const remove = async (): Promise<void> => {
    await endGroups(groups, id);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ensurePlatform(dir);
    await removeAbandoned(join(dir, "runs"), groups);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    writeJsonFile(join(folder, "owner.json"), identify(process.pid));
    const cwd = join(folder, "work");
    const links = await linksOf(dir, parts.files, release, 1);
    await makeWorkFolder({ work: cwd, tree: parts.snapshots.tree(revision.image.digest), links });
    const own = {
      ...inheritedEnvironment(env),
      ...environmentOf(revision),
      ...portVariables(await portsFor(portsOf(revision))),
    };
    const entry = groups.enter(groupOf(id), await limitsOf(release, parts));
    const { signal } = context;
    const session = openSession({ command: wanted, cwd, env: own, terminal, groups: entry, signal });
    const exit = thenDo(session.exit, remove);
    // Whoever does not ask how it ended must not be ended by it.
    exit.catch(() => undefined);
    return { ...session, exit };
  } catch (error) {
    await remove();
    throw mapError(error, `a run of ${instance.name}`);
  }
}

async function portsFor(
  ports: readonly { readonly containerPort: number }[],
): Promise<readonly { env: string; port: number }[]> {
  const taken = new Set<number>();
  const chosen: { env: string; port: number }[] = [];
  for (const [index, { containerPort }] of ports.entries()) {
    const port = await freePort(taken);
    taken.add(port);
    chosen.push({ env: index === 0 ? "PORT" : `PORT_${containerPort}`, port });
  }
  return chosen;
}

async function thenDo(exit: Promise<number>, work: () => Promise<void>): Promise<number> {
  try {
    return await exit;
  } finally {
    await work();
  }
}

function groupOf(run: string): string {
  return `run-${run}`;
}

/** Nothing that it started outlives a run with limits. */
async function endGroups(groups: ControlGroups, run: string): Promise<void> {
  groups.killAll(groupOf(run));
  for (let waits = 0; waits < 100 && groups.hasMembers(groupOf(run)); waits += 1) await pause(10);
  groups.remove(groupOf(run));
}

/** Folders of runs whose process was killed. */
async function removeAbandoned(base: string, groups: ControlGroups): Promise<void> {
  for (const name of (await unlessAbsent(readdir(base))) ?? []) {
    const owner = readJsonFile<ProcessIdentity>(join(base, name, "owner.json"));
    if (owner === undefined || isAlive(owner)) continue;
    groups.remove(groupOf(name));
    await rm(join(base, name), { recursive: true, force: true });
  }
}
