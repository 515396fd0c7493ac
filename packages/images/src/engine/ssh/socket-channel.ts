import { connect } from "node:net";
import type { Channel } from "./channel.ts";

/** A connection to the engine's socket, which `ssh` has forwarded to `path`, as a channel; it ends well unless it breaks. */
export function socketChannel(path: string): Channel {
  const socket = connect({ path });
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
