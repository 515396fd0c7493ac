// `pctl run`: a command in a copy of a release's files, which is gone when it ends.
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ExecSession } from "@ctrlplane/core/provider";

export async function runIn(image: string, command: readonly string[] = []): Promise<ExecSession> {
  const [program, ...words] = command;
  if (program === undefined) {
    throw new CtrlPlaneError("INVALID", "a site has no command of its own", { hint: "pctl run site -- ls" });
  }
  const copy = await mkdtemp(join(tmpdir(), "site-run-"));
  await cp(image, copy, { recursive: true });
  const child = spawn(program, words, { cwd: copy, stdio: "pipe" });
  const exit = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  }).finally(() => rm(copy, { recursive: true, force: true }));
  const { stdin, stdout, stderr } = child;
  // Signals come as their names.
  return { stdin, stdout, stderr, exit, resize: () => undefined, kill: (name) => child.kill(name as NodeJS.Signals) };
}
