import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import { forwardArguments } from "./arguments.ts";
import type { Channel } from "./channel.ts";
import { forwardFailure } from "./failures.ts";
import type { Master } from "./master.ts";
import { processChannel, spawnChannel } from "./process-channel.ts";
import { listen, noSsh } from "./run-ssh.ts";

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
    const child = spawnChannel(forwardArguments(endpoint, control, address));
    const all = listen(child.stderr);
    const said = (): string => all().replace(/^debug1: .*$/gm, "");
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", abort);
      child.stderr.off("data", look);
      child.removeAllListeners("close");
      act();
    };
    const abort = (): void => {
      settle(() => reject(signal.reason as Error));
      child.kill();
    };
    const look = (): void => {
      if (opened.test(all())) settle(() => resolve(processChannel(child, said)));
    };
    // Whoever ends early breaks the pipe; why is known when it has ended.
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => settle(() => reject(noSsh(error))));
    child.once("close", () => settle(() => resolve(said())));
    signal.addEventListener("abort", abort);
    child.stderr.on("data", look);
  });
}
