import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { channelArguments } from "./arguments.ts";
import { silentEngine } from "../errors.ts";
import { dialFailure } from "./failures.ts";
import { listen, noSsh, spawnSsh } from "./run-ssh.ts";

/** A connection to the engine: a process whose standard input and output are its two directions. */
export interface Channel {
  readonly process: ChildProcess;
  readonly input: Writable;
  readonly output: Readable;
  /** What came on standard error so far. */
  said(): string;
}

/** `full`: the host allows no further session on this connection. `gone`: the connection does not stand any more. */
export type ChannelOutcome = Channel | "full" | "gone";

/** A slow host starts `sudo` and `docker` first. */
const answerMs = 20_000;
const greeting = "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
/** Kept of what comes before the engine's first words. */
const keptCharacters = 64 * 1024;

/**
 * Opens one over the connection whose control socket is `control`, once the engine itself has answered a first question: what goes wrong on the way
 * is told before any request was sent. What a login shell prints first is passed over. Throws for what ended on the host.
 */
export function openChannel(endpoint: SshEndpoint, control: string, signal: AbortSignal): Promise<ChannelOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawnSsh(channelArguments(endpoint, control), ["pipe", "pipe", "pipe"]);
    const { stdin: input, stdout: output } = child;
    if (input === null || output === null) throw new TypeError("pipes were asked for");
    const said = listen(child);
    const settle = (act: () => void): void => {
      clearTimeout(late);
      signal.removeEventListener("abort", abort);
      output.off("data", read);
      child.removeAllListeners("close");
      act();
    };
    const refuse = (error: Error): void => {
      settle(() => reject(error));
      child.kill();
    };
    const abort = (): void => refuse(signal.reason as Error);
    const late = setTimeout(() => refuse(silentEngine(describeEndpoint(endpoint), answerMs)), answerMs);
    let answer = "";
    const read = (chunk: Buffer): void => {
      answer = (answer + chunk.toString("latin1")).slice(-keptCharacters);
      if (!/HTTP\/1\.\d \d{3}[^]*\r\n\r\n$/.test(answer)) return;
      output.pause();
      settle(() => resolve({ process: child, input, output, said }));
    };
    // Whoever ends early breaks the pipe; why is known when it has ended.
    input.on("error", () => undefined);
    child.once("error", (error) => refuse(noSsh(error)));
    child.once("close", (code) => {
      settle(() => {
        if (code !== 255) reject(dialFailure(endpoint, code === 127 ? `docker: not found\n${said()}` : said()));
        else resolve(/Session open refused/i.test(said()) ? "full" : "gone");
      });
    });
    signal.addEventListener("abort", abort);
    output.on("data", read);
    input.write(greeting);
  });
}
