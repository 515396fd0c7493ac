import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { behaviourOf, phaseOf } from "./behaviour.ts";
import type { Platform } from "./platform.ts";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface ExecArgs {
  readonly id: string;
  readonly command: readonly string[];
  readonly stdin: string;
}

export interface RunArgs {
  readonly digest: string;
  readonly declared: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly stdin: string;
}

export function exec({ state }: Platform, { id, command, stdin }: ExecArgs): CommandResult {
  const record = state.replicas[id];
  if (record === undefined || phaseOf(record, Date.now()).state !== "ready") {
    throw new CtrlPlaneError("NOT_FOUND", "the replica does not run", { target: id });
  }
  return carryOut(command, record.env, stdin);
}

/** Without a command the image's own: it prints a line, and ends as its behaviour says. */
export function run({ state }: Platform, { digest, declared, env, command, stdin }: RunArgs): CommandResult {
  if (command !== undefined) return carryOut(command, env, stdin);
  const behaviour = state.images[digest] ?? declared;
  return { stdout: `${behaviour}\n`, stderr: "", exitCode: behaviourOf(behaviour).exitCode };
}

/** The commands that exist: `echo WORDS`, `env NAME`, `cat`, `fail CODE`. */
function carryOut(
  [name, ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: string,
): CommandResult {
  const says = (stdout: string, exitCode = 0): CommandResult => ({ stdout, stderr: "", exitCode });
  if (name === "echo") return says(`${words.join(" ")}\n`);
  if (name === "cat") return says(stdin);
  if (name === "env") return env[words[0] ?? ""] === undefined ? says("", 1) : says(`${env[words[0] ?? ""]}\n`);
  if (name === "fail") return says("", Number(words[0] ?? 1));
  return { stdout: "", stderr: `${name}: not found\n`, exitCode: 127 };
}
