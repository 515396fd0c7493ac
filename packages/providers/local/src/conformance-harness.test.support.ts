import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Harness, SeenReplica } from "@ctrlplane/conformance";
import type { Labels } from "@ctrlplane/core/provider";
import { enforcedLimits } from "./enforced-limits.test.support.ts";
import { provider as factory } from "./index.ts";
import { instanceFile, layout, replicaFiles } from "./layout.ts";
import { localMachine } from "./machine.ts";
import { readJsonFile, readVolatileJson, writeJsonFile } from "./process/json-file.ts";
import { programFolder } from "./conformance-program.test.support.ts";
import { supervisorClient } from "./supervisor/client.ts";
import type { LocalReplica } from "./supervisor/operations.ts";
import { readInstance, readReplicas } from "./supervisor/read.ts";
import { unlessAbsent } from "./errors.ts";

/** For `@ctrlplane/conformance`: a data folder of its own, seen through its files, `/proc` and the ports of this machine. */
export async function harness(): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "local-conformance-"));
  const dir = join(folder, "data");
  const { env } = process;
  const paths = layout(dir);
  const connect = (at: string) => factory.create({ dir: at }, { name: "local", folder, env });
  const data = (volume: string): string => join(paths.volumes, volume, "data");
  return {
    name: "local",
    provenBy: `processes on ${process.platform}, seen in /proc and by requests`,
    parallel: 10,
    connect: () => connect(dir),
    unreachable: () => connect("/dev/null/nowhere"),
    program: (program, hostPort) => ({
      image: { kind: "path", path: programFolder(join(folder, "programs"), program), declared: `./${program.kind}` },
      command: { args: [process.execPath, "server.js"] },
      ports: [{ containerPort: 3000, hostPort, protocol: "http" }],
    }),
    commands: {
      print: (words) => ["printf", "%s\\n", words],
      exit: (code) => ["sh", "-c", `exit ${code}`],
      variable: (name) => ["printenv", name],
      copy: ["cat"],
    },
    ask: async (url) => {
      const body = await request(url);
      // The program's own words.
      return body === undefined ? undefined : (JSON.parse(body) as Answer);
    },
    look: (name) => {
      const record = readInstance(dir, name);
      const replicas = readReplicas(dir, name).map((each) => seen(dir, each));
      if (record === undefined && replicas.length === 0) return Promise.resolve(undefined);
      return Promise.resolve({ labels: record?.labels ?? {}, replicas });
    },
    writes: (stack) => Promise.resolve(writesOf(dir, stack)),
    async readVolume(name) {
      if ((await unlessAbsent(stat(data(name)))) === undefined) return undefined;
      return (await unlessAbsent(readFile(join(data(name), "kept"), "utf8"))) ?? "";
    },
    async writeVolume(name, words) {
      await mkdir(data(name), { recursive: true });
      await writeFile(join(data(name), "kept"), words);
    },
    kill: (replica) => {
      const { pid } = find(dir, replica);
      if (pid === undefined) throw new Error(`${replica.name} does not run`);
      process.kill(pid, "SIGKILL");
      return Promise.resolve();
    },
    async remove({ id }) {
      // What `pctl local` and others do to the supervisor, which alone removes replicas.
      const supervisor = supervisorClient({ dir, env, start: "never" });
      const options = { fence: { stack: "", epoch: 0 }, signal: AbortSignal.timeout(10_000) };
      await supervisor.stop(id, { signal: "SIGKILL", graceMs: 0 }, options);
      await supervisor.remove(id, options);
    },
    async say(replica, line) {
      const [port] = find(dir, replica).record.ports;
      const said = await request(`http://127.0.0.1:${port?.port}/say?line=${encodeURIComponent(line)}`);
      if (said === undefined) throw new Error(`${replica.name} does not listen`);
    },
    relabel: (name, labels) => Promise.resolve(relabel(dir, name, labels)),
    async close() {
      await localMachine({ dir, env }).stop(AbortSignal.timeout(30_000));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function request(url: string): Promise<string | undefined> {
  const sent = get(url, { agent: false, timeout: 5_000 });
  sent.on("timeout", () => sent.destroy());
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    return (response.statusCode ?? 500) < 400 ? body : undefined;
  } catch {
    // Refused or cut off: nobody answers.
    return undefined;
  }
}

function find(dir: string, { id }: SeenReplica): LocalReplica {
  const found = readReplicas(dir).find((each) => each.id === id);
  if (found === undefined) throw new Error(`there is no replica ${id}`);
  return found;
}

function seen(dir: string, { id, name, pid, record }: LocalReplica): SeenReplica {
  const files = replicaFiles(join(layout(dir).replicas, id));
  const { run = 0 } = readVolatileJson<{ run: number }>(files.state) ?? {};
  return {
    id,
    name,
    labels: record.labels,
    version: versionIn(files.work),
    isRunning: pid !== undefined,
    starts: run,
    limits: pid === undefined ? {} : enforcedLimits(pid),
  };
}

/** Of the program in a working folder; the replica may go while it is looked at. */
function versionIn(work: string): string {
  try {
    // `programFolder` wrote it.
    return (JSON.parse(readFileSync(join(work, "program.json"), "utf8")) as { version: string }).version;
  } catch {
    return "gone";
  }
}

function writesOf(dir: string, stack: string): readonly string[] {
  const paths = layout(dir);
  const kinds = [
    [paths.instances, "instance.json"],
    [paths.replicas, "replica.json"],
    [paths.volumes, "volume.json"],
  ] as const;
  return kinds.flatMap(([base, file]) =>
    readdirSync(base).flatMap((name) => {
      const found =
        name.startsWith(`${stack}-`) && statSync(join(base, name, file), { throwIfNoEntry: false, bigint: true });
      return found ? `${join(name, file)} ${found.mtimeNs}` : [];
    }),
  );
}

function relabel(dir: string, name: string, labels: Labels): void {
  const replicas = readReplicas(dir, name).map((each) => replicaFiles(join(layout(dir).replicas, each.id)).record);
  for (const file of [instanceFile(dir, name), ...replicas]) {
    const record = readJsonFile<object>(file);
    if (record !== undefined) writeJsonFile(file, { ...record, labels });
  }
}
