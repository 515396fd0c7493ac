/**
 * Runs one replica once, and records how it ended. A process of its own, so that the supervisor may die: it imports
 * nothing but what node brings, and keeps nothing in memory.
 *
 * Arguments: folder of the replica, number of the run, working folder, control groups as JSON `{ join, leave }` (paths of
 * `cgroup.procs`), then the command. Descriptor 3 is one end of a socket pair: the environment comes in as one line
 * of JSON, and `ok` or `failed` goes out once `run.json` or `exit.json` is written.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";

const [folder = "", runText = "", cwd = "", groupsText = "{}", ...command] = process.argv.slice(2);
const run = Number(runText);
// Its only caller writes it so.
const groups = JSON.parse(groupsText) as { readonly join?: readonly string[]; readonly leave?: readonly string[] };

const env = readEnvironment();
// The supervisor died before it had written the whole environment: nothing was started, and nothing may be.
if (env === undefined) process.exit(1);
runReplica(env);

function readEnvironment(): Record<string, string> | undefined {
  const text = readFileSync(3, "utf8");
  // What was cut off lacks its last line end.
  return text.endsWith("\n") ? (JSON.parse(text) as Record<string, string>) : undefined;
}

function runReplica(environment: Record<string, string>): void {
  const [file = "", ...args] = command;
  // The replica holds the log itself, so that it outlives this process and its output never passes through here.
  const log = openSync(`${folder}/log`, "a", 0o600);
  let child: ChildProcess;
  try {
    // The child is born in its control groups; this process leaves them again, so that its own memory does not count.
    enter(groups.join);
    child = spawn(file, args, { cwd, env: environment, detached: true, stdio: ["ignore", log, log] });
  } catch (error) {
    finish({ code: null, signal: null, error: describe(error) }, "failed");
    return;
  } finally {
    enter(groups.leave);
  }
  child.once("error", (error) => {
    if (child.pid === undefined) finish({ code: null, signal: null, error: describe(error) }, "failed");
  });
  const pid = child.pid;
  if (pid === undefined) return;
  child.once("exit", (code, signal) => {
    endGroup(pid);
    finish({ code, signal });
  });
  const shim = { pid: process.pid, startTime: startTime(process.pid) };
  write("run.json", { run, pid, startTime: startTime(pid), shim, startedAt: new Date().toISOString() });
  tell("ok");
}

function enter(files: readonly string[] = []): void {
  for (const file of files) writeFileSync(file, String(process.pid));
}

/** What the replica left behind in its group ends with it. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function finish(end: { code: number | null; signal: string | null; error?: object }, word?: string): void {
  write("exit.json", { run, ...end, at: new Date().toISOString() });
  if (word !== undefined) tell(word);
  process.exit(0);
}

/** Field 22 of `/proc/<pid>/stat`; the name in field 2 may hold anything but ends with the last bracket. */
function startTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function write(name: string, value: object): void {
  writeFileSync(`${folder}/${name}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${folder}/${name}.new`, `${folder}/${name}`);
}

function tell(word: string): void {
  try {
    writeSync(3, word);
  } catch (error) {
    // The supervisor is gone; the files tell the next one.
    if (codeOf(error) !== "EPIPE") throw error;
  }
}

function describe(error: unknown): { code: string; message: string } {
  return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
