import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";

export interface Started {
  readonly child: ChildProcess;
  /** All that it printed so far. */
  readonly output: () => string;
  /** Resolves when its output holds the text; rejects when it ends before. */
  readonly printed: (text: string) => Promise<void>;
  /** Exit code, or signal. */
  readonly ended: Promise<number | string>;
}

/** Runs a script (`import.meta.resolve("./…")`) with Node; killed when the test ends. */
export function startScript(t: TestContext, script: string, args: readonly string[]): Started {
  const path = fileURLToPath(script);
  const child = spawn(process.execPath, ["--conditions=source", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  // Node gives the code or, after a signal, null and its name.
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  const printed = async (text: string): Promise<void> => {
    const isOver = ended.then(() => true);
    while (!output.includes(text)) {
      if (await Promise.race([once(child.stdout, "data").then(() => false), isOver])) {
        if (output.includes(text)) return;
        throw new Error(`${script} ended before it printed ${JSON.stringify(text)}: ${output}`);
      }
    }
  };
  return { child, output: () => output, printed, ended };
}
