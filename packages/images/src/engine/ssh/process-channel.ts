import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { SshEndpoint } from "../endpoint.ts";
import { channelArguments } from "./arguments.ts";
import type { Channel } from "./channel.ts";
import { dialFailure } from "./failures.ts";
import { engineAnswers } from "./greeting.ts";
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
export async function openProcessChannel(
  endpoint: SshEndpoint,
  control: string,
  signal: AbortSignal,
): Promise<ChannelOutcome> {
  const child = spawnChannel(channelArguments(endpoint, control));
  const said = listen(child.stderr);
  let unstarted: Error | undefined;
  child.once("error", (error) => (unstarted = noSsh(error)));
  const channel = processChannel(child, said);
  if (await engineAnswers(endpoint, channel, signal)) return channel;
  if (unstarted !== undefined) throw unstarted;
  const { exitCode: code } = child;
  if (code !== 255) throw dialFailure(endpoint, code === 127 ? `docker: not found\n${said()}` : said());
  return /Session open refused/i.test(said()) ? "full" : "gone";
}
