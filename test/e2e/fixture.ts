import assert from "node:assert/strict";
import { after } from "node:test";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isAlive, processesOf, type SeenProcess } from "./process-table.ts";
import { outcomeOf, type Outcome } from "./workbench.ts";
import { serverFiles, type Answer, type Behaviour } from "./server-folder.ts";
import { freePort } from "../free-port.ts";

/** The built `pctl`. */
export const entry = fileURLToPath(new URL("../../packages/cli/bin/pctl.js", import.meta.url));

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the project's folder. */
  readonly cwd?: string;
  /** Whom it runs as. Default: who runs the test. */
  readonly uid?: number;
  readonly gid?: number;
  /** Words before its own: a program that starts it. */
  readonly under?: readonly string[];
}

/** A replica by what the kernel shows: its name, and the processes of its session. */
export interface SeenReplica {
  readonly name: string;
  readonly pids: readonly number[];
}

/**
 * A project in a folder of its own, with a home and a data folder of its own, and the built `pctl` in it. To be held by
 * `await using`: in the end all that runs from it is stopped, and what `pctl local stop` leaves running fails the file.
 */
export class Project implements AsyncDisposable {
  readonly root: string;
  readonly folder: string;
  readonly home: string;
  readonly dataFolder: string;
  /** Was free when the project was made. */
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;
  readonly #started: ChildProcess[] = [];

  private constructor(root: string, port: number) {
    this.root = root;
    this.port = port;
    this.folder = join(root, "project");
    this.home = join(root, "home");
    this.dataFolder = join(root, "local");
    this.#env = {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: this.home,
      PCTL_LOCAL_DIR: this.dataFolder,
      USER: "ann",
      // By it the test run finds what a test left behind.
      CTRLPLANE_TEST_RUN: process.env["CTRLPLANE_TEST_RUN"] ?? "",
    };
  }

  static async create(): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), "pctl-e2e-")), await freePort());
    await Promise.all([mkdir(project.folder), mkdir(project.home)]);
    return project;
  }

  /** A project whose one service `web` is the server of the tests, behind `port`. `extra`: more keys of the service, as YAML. */
  static async withServer(behaviour: Behaviour, extra: readonly string[] = []): Promise<Project> {
    const project = await Project.create();
    await project.write({ "pctl.yaml": serverDeclaration(project.port, extra), ...serverFiles("web", behaviour) });
    return project;
  }

  /** Files by their path in the project's folder. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }

  /** A file of the project's folder. */
  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  /** The server in `./web` behaves in another way from the next deploy on. */
  async change(behaviour: Behaviour): Promise<void> {
    await this.write(serverFiles("web", behaviour));
  }

  start(words: readonly string[], options: RunOptions = {}): ChildProcess {
    const { cwd = this.folder, env, uid, gid, under = [] } = options;
    const [program = process.execPath, ...rest] = [...under, process.execPath, entry, ...words];
    const child = spawn(program, rest, {
      cwd,
      env: { ...this.#env, ...env },
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    this.#started.push(child);
    return child;
  }

  /** Runs `pctl` to its end. */
  async pctl(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.start(words, options);
    child.stdin?.end(options.input ?? "");
    return outcomeOf(child);
  }

  /** Runs `pctl`, expects this exit code, and returns all that it printed. */
  async expect(code: number, words: readonly string[], options: RunOptions = {}): Promise<string> {
    const outcome = await this.pctl(words, options);
    const said = outcome.stdout + outcome.stderr;
    assert.equal(outcome.code, code, `pctl ${words.join(" ")} ended with ${outcome.code}, not ${code}:\n${said}`);
    return said;
  }

  async ok(...words: string[]): Promise<string> {
    return this.expect(0, words);
  }

  /** Asks the server behind the port, on a connection of its own. */
  async ask(path = "/", port = this.port): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Answer; // what the server of the tests answers
  }

  /** The versions that answer, each once, after so many requests. */
  async versions(requests = 20): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: requests }, () => this.ask()));
    return [...new Set(answers.map(({ version }) => version))].toSorted();
  }

  processes(): SeenProcess[] {
    return processesOf(this.root);
  }

  only(role: SeenProcess["role"]): SeenProcess {
    const found = this.processes().filter((each) => each.role === role);
    const [first] = found;
    assert.ok(first !== undefined && found.length === 1, `${found.length} processes in the role ${role}`);
    return first;
  }

  /** What runs in the folders of replicas, counted by session: one that runs twice is here twice. */
  replicas(): SeenReplica[] {
    const sessions = new Map<string, SeenReplica>();
    for (const { replica, role, session, pid } of this.processes()) {
      if (replica === undefined || role !== "replica") continue;
      const key = `${replica} ${session}`;
      sessions.set(key, { name: replica, pids: [...(sessions.get(key)?.pids ?? []), pid] });
    }
    return [...sessions.values()].toSorted((left, right) => left.name.localeCompare(right.name));
  }

  replicaNames(): string[] {
    return this.replicas().map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Only where a test failed in the middle.
    for (const child of this.#started) child.kill("SIGKILL");
    const { code, stdout, stderr } = await this.pctl(["local", "stop", "--yes"]);
    if (code !== 0) leftOver.push(`local stop ended with ${code}: ${stdout}${stderr}`);
    for (const each of this.processes()) {
      leftOver.push(`${each.pid} ${each.role} ${each.argv.join(" ").slice(0, 200)}`);
      if (isAlive(each)) process.kill(each.pid, "SIGKILL");
    }
    await rm(this.root, { recursive: true, force: true });
  }
}

/** What `pctl local stop` left running. Told here, since a failing disposal would hide why a test failed. */
const leftOver: string[] = [];
after(() => assert.deepEqual(leftOver, [], "left running after pctl local stop"));

/** The declaration of `Project.withServer`. */
export function serverDeclaration(port: number, extra: readonly string[] = []): string {
  const keys = ["image: ./web", "command: [node, server.js]", `ports: ["127.0.0.1:${port}:3000"]`, ...extra];
  return `name: shop\nprovider: local\nservices:\n  web:\n${keys.map((each) => `    ${each}\n`).join("")}`;
}

/** Looks every 20 ms until it is true; fails with `what` after the time limit. For what no event of ours tells: processes of the kernel, foreign ports. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadline, `not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}
