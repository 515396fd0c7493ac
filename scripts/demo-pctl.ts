import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { styleText } from "node:util";

const entry = join(import.meta.dirname, "..", "packages", "cli", "bin", "pctl.js");

/** The built pctl in one project, as a user would type it there. */
export class Pctl {
  readonly #project: string;
  readonly #environment: Record<string, string>;

  constructor(project: string, environment: Record<string, string>) {
    this.#project = project;
    this.#environment = environment;
  }

  /** What a shell needs to run pctl there too. */
  get shellLine(): string {
    const variables = Object.entries(this.#environment).map(([name, value]) => `${name}=${value}`);
    return `cd ${this.#project} && ${variables.join(" ")} ${entry} status`;
  }

  /** Runs it with its output on the terminal; resolves to the exit code, 128 and the signal's number as a shell has it. */
  async run(words: string[]): Promise<number> {
    process.stdout.write(styleText("dim", `$ pctl ${shellWords(words)}\n`));
    const child = this.#spawn(words, "inherit");
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? 128));
    });
  }

  /** Runs it with `--json` and kills it with -9 at its first event of this type; resolves to that, undefined if none came. */
  async killWhen(words: string[], type: string): Promise<string | undefined> {
    process.stdout.write(styleText("dim", `$ pctl ${shellWords(words)} & … kill -9 $!\n`));
    const child = this.#spawn([...words, "--json"], "pipe");
    if (child.stdout === null) throw new Error("a piped child has an output");
    const ended = new Promise((resolve) => child.on("exit", resolve));
    let reached: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      // Lines of `--json` are events; the union stands in the core's model.
      const event = JSON.parse(line) as { type?: string };
      if (event.type !== type) continue;
      reached = event.type;
      child.kill("SIGKILL");
      break;
    }
    await ended;
    return reached;
  }

  #spawn(words: string[], output: "inherit" | "pipe") {
    return spawn(process.execPath, [entry, ...words], {
      cwd: this.#project,
      env: { ...process.env, ...this.#environment },
      stdio: ["ignore", output, "inherit"],
    });
  }
}

function shellWords(words: string[]): string {
  return words.map((word) => (/^[\w./=-]+$/.test(word) ? word : `'${word}'`)).join(" ");
}
