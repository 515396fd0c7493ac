import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import { forwardArguments } from "./arguments.ts";
import type { Channel } from "./channel.ts";
import { forwardFailure } from "./failures.ts";
import type { Master } from "./master.ts";
import { listen, noSsh, spawnSsh } from "./run-ssh.ts";

/** `ssh` has no other word for it. */
const opened = /master session id: /;

/**
 * Opens a connection from the host to an address in its networks; `gone` where the connection to the host does not stand any more. Throws `forwardFailure`, or the
 * signal's reason.
 */
export async function openForward(
  endpoint: SshEndpoint,
  master: Master,
  address: NetworkAddress,
  signal: AbortSignal,
): Promise<Channel | "gone"> {
  const before = (await master.log()).length;
  signal.throwIfAborted();
  const outcome = await start(endpoint, master, address, signal);
  if (typeof outcome !== "string") return outcome;
  if (!/forwarding request failed/i.test(outcome)) return "gone";
  const why = (await master.log()).slice(before);
  throw forwardFailure(describeEndpoint(endpoint), address, why);
}

/** The channel; where it could not be opened, what `ssh` said. */
function start(
  endpoint: SshEndpoint,
  { control }: Master,
  address: NetworkAddress,
  signal: AbortSignal,
): Promise<Channel | string> {
  return new Promise((resolve, reject) => {
    const child = spawnSsh(forwardArguments(endpoint, control, address), ["pipe", "pipe", "pipe"]);
    const { stdin: input, stdout: output, stderr } = child;
    if (input === null || output === null || stderr === null) throw new TypeError("pipes were asked for");
    const all = listen(child);
    const said = (): string => all().replace(/^debug1: .*$/gm, "");
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", abort);
      stderr.off("data", look);
      child.removeAllListeners("close");
      act();
    };
    const abort = (): void => {
      settle(() => reject(signal.reason as Error));
      child.kill();
    };
    const look = (): void => {
      if (opened.test(all())) settle(() => resolve({ process: child, input, output, said }));
    };
    // Whoever ends early breaks the pipe; why is known when it has ended.
    input.on("error", () => undefined);
    child.once("error", (error) => settle(() => reject(noSsh(error))));
    child.once("close", () => settle(() => resolve(said())));
    signal.addEventListener("abort", abort);
    stderr.on("data", look);
  });
}
