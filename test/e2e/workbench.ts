import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../packages/cli/bin/pctl.js", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A project in a folder of its own, with a home and a data folder of its own, and the built `pctl` in it. */
export class Workbench {
  readonly folder: string;
  /** What `pctl` is started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.folder = join(root, "project");
    this.environment = {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: join(root, "home"),
      PCTL_LOCAL_DIR: join(root, "local"),
      USER: "ann",
    };
  }

  static async create(): Promise<Workbench> {
    const bench = new Workbench(await mkdtemp(join(tmpdir(), "pctl-e2e-")));
    await mkdir(bench.folder);
    await mkdir(join(bench.#root, "home"));
    return bench;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }

  start(words: readonly string[], options: RunOptions = {}): ChildProcess {
    return spawn(process.execPath, [entry, ...words], {
      cwd: this.folder,
      env: { ...this.environment, ...options.env },
    });
  }

  /** Runs `pctl` to its end. */
  async pctl(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.start(words, options);
    child.stdin?.end(options.input ?? "");
    return outcomeOf(child);
  }

  /** Runs `pctl` on a pseudo-terminal; types each answer once its question has been printed. All output is in `stdout`. */
  async onTerminal(words: readonly string[], answers: readonly (readonly [string, string])[]): Promise<Outcome> {
    const line = [process.execPath, entry, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const env = { ...this.environment, TERM: "xterm", SHELL: "/bin/sh" };
    const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: this.folder, env });
    const left = [...answers];
    let seen = "";
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      const [next] = left;
      if (next === undefined || !seen.includes(next[0])) return;
      seen = "";
      left.shift();
      child.stdin.write(next[1]);
    });
    return outcomeOf(child);
  }

  /** Ends everything that runs from the data folder, and removes all files. */
  async dispose(): Promise<void> {
    const stopped = await this.pctl(["local", "stop", "--yes"]);
    if (stopped.code !== 0) throw new Error(`processes may be left: ${stopped.stderr}`);
    await rm(this.#root, { recursive: true, force: true });
  }
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  if (child.stdout === null || child.stderr === null) throw new Error("its output is not piped");
  // `close` comes after the last output, and with the exit code.
  const closed: Promise<[number | null]> = once(child, "close") as Promise<[number | null]>; // node's type is any[]
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}

/** Resolves when a program has printed these words; rejects where its output ends without them. */
export async function heard(output: Readable | null, words: string): Promise<void> {
  assert.ok(output !== null, "its output is not piped");
  const ended = once(output, "end").then(() => undefined);
  for (let said = ""; !said.includes(words);) {
    const chunk = await Promise.race([once(output, "data"), ended]);
    assert.ok(chunk !== undefined, `it ended without ${words}: ${said}`);
    said += String(chunk[0]);
  }
}
