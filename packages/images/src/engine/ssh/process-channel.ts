import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { silentEngine } from "../errors.ts";
import { channelArguments } from "./arguments.ts";
import type { Channel } from "./channel.ts";
import { dialFailure } from "./failures.ts";
import { answerMs, greet } from "./greeting.ts";
import { listen, noSsh, spawnSsh } from "./run-ssh.ts";

/** `full`: the host allows no further session on this connection. `gone`: the connection does not stand any more. */
export type ChannelOutcome = Channel | "full" | "gone";

/** A process of `ssh` whose standard input and output are the two directions. */
export interface ChannelProcess extends ChildProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** A process as a channel; it ends well with the exit code 0. */
export function processChannel(child: ChannelProcess, said: () => string): Channel {
  const parts = [child, child.stdin, child.stdout, child.stderr] as readonly { ref?(): void; unref?(): void }[];
  return {
    input: child.stdin,
    output: child.stdout,
    ended: new Promise((resolve) => child.once("close", (code) => resolve(code === 0))),
    said,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // One that waits for its next request keeps nothing alive, nor would it this wait.
      child.ref();
      const end = once(child, "exit");
      child.kill();
      await end;
    },
    ref: () => parts.forEach((each) => each.ref?.()),
    unref: () => parts.forEach((each) => each.unref?.()),
  };
}

/** Starts `ssh` with pipes for all three. */
export function spawnChannel(args: readonly string[]): ChannelProcess {
  // What is asked for with "pipe" is there.
  return spawnSsh(args, ["pipe", "pipe", "pipe"]) as ChannelProcess;
}

/**
 * Opens one over the connection whose control socket is `control`, once the engine itself has answered a first question: what goes wrong on the way
 * is told before any request was sent. Throws for what ended on the host.
 */
export function openProcessChannel(
  endpoint: SshEndpoint,
  control: string,
  signal: AbortSignal,
): Promise<ChannelOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawnChannel(channelArguments(endpoint, control));
    const said = listen(child.stderr);
    const settle = (act: () => void): void => {
      clearTimeout(late);
      signal.removeEventListener("abort", abort);
      stop();
      child.removeAllListeners("close");
      act();
    };
    const refuse = (error: Error): void => {
      settle(() => reject(error));
      child.kill();
    };
    const abort = (): void => refuse(signal.reason as Error);
    const late = setTimeout(() => refuse(silentEngine(describeEndpoint(endpoint), answerMs)), answerMs);
    const stop = greet(child.stdin, child.stdout, () => settle(() => resolve(processChannel(child, said))));
    child.once("error", (error) => refuse(noSsh(error)));
    child.once("close", (code) => {
      settle(() => {
        if (code !== 255) reject(dialFailure(endpoint, code === 127 ? `docker: not found\n${said()}` : said()));
        else resolve(/Session open refused/i.test(said()) ? "full" : "gone");
      });
    });
    signal.addEventListener("abort", abort);
  });
}
