import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Provider, ProviderEnvironment, ReplicaDriver } from "@ctrlplane/core/provider";
// As built, like in the processes that are struck: another version would take the supervisor over each time.
import { provider } from "../../packages/providers/local/dist/index.js";
import { isAlive } from "../../packages/providers/local/src/process/identity.ts";
import { readJsonFile } from "../../packages/providers/local/src/process/json-file.ts";
import { processesOf, type SeenProcess } from "../e2e/process-table.ts";
import type { SeenReplica, Subject, World } from "./subject.ts";
import { tapDriver } from "./tap.ts";
import { freePort } from "../free-port.ts";

const names = ["ref", "other"] as const;
// Its last parameter is a seam for tests, and not in the type under which the package hands it out.
const create: (
  options: Readonly<Record<string, unknown>>,
  environment: ProviderEnvironment,
  through: (driver: ReplicaDriver) => ReplicaDriver,
) => Provider = provider.create;

/** `local` on two data folders. Its processes are real, and so are their deaths. */
export const subject: Subject = {
  url: import.meta.url,
  type: "local",
  kinds: ["kill-before", "kill-after", "death-of-supervisor", "death-of-gateway", "death-of-shims"],
  oneOf: 100,
  waits: 2,
  options: (dir) => ({ dir }),
  declare: (services, { folder }) =>
    services
      .replaceAll(/\{ image: "(\w+):(\d+)"(, ports)?/g, (_, word: string, number: string, ports?: string) => {
        const image = `{ image: ./images/${word}-${number}`;
        // Without a port it would have to live for five seconds.
        return ports === undefined && word === "ok" ? `${image}, health: { command: "true" }` : image + (ports ?? "");
      })
      .replaceAll("8080:3000", `127.0.0.1:${readFileSync(join(folder, "port"), "utf8")}:3000`),
  async start(folder): Promise<World> {
    const dirs = names.map((name) => join(folder, name));
    await mkdir(join(folder, "images"));
    for (const image of ["ok-1", "ok-2", "ok-3", "crash-1", "done-20"]) await makeImage(folder, image);
    writeFileSync(join(folder, "port"), String(await freePort()));
    return {
      places: Object.fromEntries(dirs.map((dir, index) => [names[index] ?? "", dir])),
      replicas: () => Promise.resolve(dirs.flatMap(seenIn).toSorted((a, b) => (a.name < b.name ? -1 : 1))),
      records: () => Promise.resolve(dirs.flatMap((dir) => globSync("**/*@/{f,t}.*", { cwd: join(dir, "ledger") }))),
      everything: () => Promise.resolve(""),
      reach: (services) => reach(services, folder),
      stop: () => endAll(folder),
    };
  },
  connect: (dir, tap) =>
    create({ dir }, { name: basename(dir), folder: dir, env: process.env }, (driver) => tapDriver(driver, tap)),
  kill(who, { places }) {
    const files = { supervisor: "supervisor.json", gateway: "gateway.json", shims: "replicas/*/shim.json" }[who];
    assert.ok(files !== undefined, who);
    for (const dir of Object.values(places)) {
      for (const file of globSync(files, { cwd: dir })) killNow(join(dir, file));
    }
  },
};

/** A program of one file: what it is called is what it answers. */
async function makeImage(folder: string, name: string): Promise<void> {
  const [word, number] = name.split("-");
  const programs: Readonly<Record<string, string>> = {
    ok: `require("node:http").createServer((_, answer) => answer.end("${word}:${number}")).listen(process.env.PORT ?? 0);\nprocess.on("SIGTERM", () => process.exit(0));`,
    crash: "process.exit(1);",
    done: `setTimeout(() => undefined, ${number});`,
  };
  const file = join(folder, "images", name);
  await writeFile(file, `#!${process.execPath}\n${programs[word ?? ""]}\n`);
  await chmod(file, 0o755);
}

/** What is recorded in a data folder, and every process that works in it, recorded or not. */
function seenIn(dir: string): SeenReplica[] {
  const running = processesOf(join(dir, "replicas")).filter((each) => each.role === "replica");
  const recorded = globSync("replicas/*/replica.json", { cwd: dir }).map((file) => {
    // Written by `local`.
    const { name } = JSON.parse(readFileSync(join(dir, file), "utf8")) as { name: string };
    return name;
  });
  const stopped = recorded.filter((name) => !running.some((each) => each.replica === name));
  return [
    ...running.map((each) => ({ name: each.replica ?? "", image: imageOf(each), isRunning: true })),
    ...stopped.map((name) => ({ name, image: "", isRunning: false })),
  ];
}

function imageOf({ argv }: SeenProcess): string {
  const file = argv.find((each) => /\b\w+-\d+$/.test(basename(each))) ?? "";
  return basename(file).replace("-", ":");
}

/** What is published answers with the image that is declared. */
async function reach(services: string, folder: string): Promise<void> {
  const image = /image: "([^"]+)", ports: \[8080:3000\]/.exec(services)?.[1];
  if (image === undefined) return;
  const answer = await fetch(`http://127.0.0.1:${readFileSync(join(folder, "port"), "utf8")}/`);
  assert.equal(await answer.text(), image, "what answers at the port");
}

/** The process that a file of `local` names, if it still is that one. */
function killNow(file: string): void {
  const found = readJsonFile<{ readonly pid: number; readonly startTime: string }>(file);
  if (found !== undefined && isAlive(found)) process.kill(found.pid, "SIGKILL");
}

/** Whoever would start others first. */
async function endAll(folder: string): Promise<void> {
  for (;;) {
    const left = processesOf(folder);
    if (left.length === 0) return;
    const isDaemon = ({ argv }: SeenProcess): boolean =>
      argv.some((each) => /\/(supervisor|gateway)\/main\.[jt]s$/.test(each));
    for (const each of left.toSorted((a, b) => Number(isDaemon(b)) - Number(isDaemon(a)))) end(each);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function end({ pid }: SeenProcess): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
