import { connect, type Socket } from "node:net";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { silentEngine } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { answerMs, greet } from "./greeting.ts";

/**
 * A channel by the engine's socket, which `ssh` has forwarded to `path`; open once the engine has answered a first question. Undefined where it ends
 * before: `ssh` takes a connection, and tells only by its end that the other side does not. Throws UNAVAILABLE where nothing is said at all.
 */
export function openSocketChannel(
  endpoint: SshEndpoint,
  path: string,
  signal: AbortSignal,
): Promise<Channel | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const settle = (act: () => void): void => {
      clearTimeout(late);
      signal.removeEventListener("abort", abort);
      stop();
      socket.removeAllListeners("close");
      act();
    };
    const refuse = (error: Error): void => {
      settle(() => reject(error));
      socket.destroy();
    };
    const abort = (): void => refuse(signal.reason as Error);
    const late = setTimeout(() => refuse(silentEngine(describeEndpoint(endpoint), answerMs)), answerMs);
    const stop = greet(socket, socket, () => settle(() => resolve(socketChannel(socket))));
    socket.once("close", () => settle(() => resolve(undefined)));
    signal.addEventListener("abort", abort);
  });
}

function socketChannel(socket: Socket): Channel {
  const ended = new Promise<boolean>((resolve) => socket.once("close", (hadError) => resolve(!hadError)));
  return {
    input: socket,
    output: socket,
    ended,
    said: () => "",
    async end() {
      socket.destroy();
      await ended;
    },
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
  };
}
