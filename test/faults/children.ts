import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ErrorCode } from "@ctrlplane/core";
import type { Site } from "./plane.ts";
import type { Step } from "./scenarios.ts";
import type { Fault } from "./tap.ts";

export interface Job {
  /** The file of the subject. */
  readonly subject: string;
  readonly site: Site;
  readonly step: Step;
  readonly fault?: Fault;
}

export type Reply =
  | { readonly kind: "ready" | "frozen" }
  | {
      readonly kind: "ended";
      readonly exitCode: number;
      readonly points: readonly string[];
      readonly isStruck: boolean;
      /** Why it could not begin, and the error's code: `UNEXPECTED` for what is none of ours. */
      readonly reason?: string;
      readonly code?: ErrorCode | "UNEXPECTED";
    };

export type Ended = Extract<Reply, { kind: "ended" }> | { readonly kind: "killed" };

const main = fileURLToPath(new URL("job-main.ts", import.meta.url));

/** It says that it freezes a moment before it does: a thaw in between would be lost. */
async function isStopped({ pid }: ChildProcess): Promise<void> {
  while (/\) (?!T)/.test(await readFile(`/proc/${pid}/stat`, "utf8"))) await sleep(1);
}

/** Processes in which the engine runs and dies. A few are kept ready, since a start takes longer than a command. */
export class Children implements AsyncDisposable {
  readonly #ready: Promise<ChildProcess>[] = [];
  readonly #all = new Set<ChildProcess>();
  readonly #spare: number;

  constructor(spare: number) {
    this.#spare = spare;
  }

  /** `onFrozen`: while it is frozen; it is thawed afterwards. */
  async run(job: Job, onFrozen: () => Promise<void> = () => Promise.resolve()): Promise<Ended> {
    while (this.#ready.length <= this.#spare) this.#ready.push(this.#start());
    const child = await (this.#ready.shift() ?? this.#start());
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("message", (reply: Reply) => {
        if (reply.kind === "ended") resolve(reply);
        if (reply.kind !== "frozen") return;
        isStopped(child)
          .then(onFrozen)
          .then(
            () => child.kill("SIGCONT"),
            (error: unknown) => {
              reject(error instanceof Error ? error : new Error(String(error)));
              child.kill("SIGKILL");
            },
          );
      });
      child.on("exit", (code, signal) => {
        if (signal === "SIGKILL") resolve({ kind: "killed" });
        else reject(new Error(`the process ended with ${code ?? signal}`));
      });
    });
    child.send(job);
    const result = await ended;
    if (result.kind === "ended") this.#giveBack(child, job);
    return result;
  }

  /** One that may still hold a lease ends, as a command's process does: its death is what lets others in at once. */
  #giveBack(child: ChildProcess, { fault }: Job): void {
    child.removeAllListeners();
    const isClean = fault === undefined || (/^(?!ledger)\w/.test(fault.point) && fault.kind !== "frozen");
    if (isClean) this.#ready.unshift(Promise.resolve(child));
    else this.#end(child);
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(main, [], {
      // What is built: a third of the time that the sources take, of which each kill pays one.
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#all.add(child);
    child.once("exit", () => this.#all.delete(child));
    await once(child, "message");
    return child;
  }

  #end(child: ChildProcess): void {
    child.kill("SIGKILL");
    this.#all.delete(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ready);
    for (const child of this.#all) this.#end(child);
  }
}
