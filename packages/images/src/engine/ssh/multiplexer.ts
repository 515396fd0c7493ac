import { connect } from "node:net";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import { brokenChannel } from "./failures.ts";
import {
  message,
  multiplexedChannel,
  ownWindow,
  type ChannelEar,
  type MultiplexedChannel,
} from "./multiplexed-channel.ts";
import type { Refusal } from "./refusal.ts";
import { messages, string, uint32, WireReader } from "./wire.ts";

/** What a channel leads to. */
export interface Destination {
  /** As the SSH protocol calls it. */
  readonly type: string;
  readonly values: readonly Buffer[];
}

/** A command on the host, which `exec` names. */
export const session: Destination = { type: "session", values: [] };

/** A port in the networks of the host. */
export function toAddress({ host, port }: NetworkAddress): Destination {
  return { type: "direct-tcpip", values: [string(host), uint32(port), string("127.0.0.1"), uint32(0)] };
}

/** A Unix socket of the host. */
export function toSocket(path: string): Destination {
  return { type: "direct-streamlocal@openssh.com", values: [string(path), string(""), uint32(0)] };
}

export interface Multiplexer {
  /** Opens a channel; "gone" where the connection does not stand any more. Rejects with the signal's reason. */
  open(to: Destination, signal: AbortSignal): Promise<MultiplexedChannel | Refusal | "gone">;
  /** Channels that were refused. The master remembers each as long as it runs, and ends at 16,384 of them. */
  readonly refusals: number;
  readonly isGone: boolean;
  /** Settles when the connection is gone, whatever ended it. */
  readonly gone: Promise<void>;
}

/** Of OpenSSH's multiplexing (its PROTOCOL.mux): what a client says to the process that holds the connection. */
const hello = { type: 1, version: 4 };
const proxy = { asked: 0x1000000f, granted: 0x8000000f };

const prohibited = 1;
const longestPacket = 32 * 1024;

/**
 * All channels of one SSH connection, over the control socket of the `ssh` that holds it, in its "proxy" mode: we speak the protocol's messages, and it encrypts
 * them. A channel costs no process, and that it is open is known, or why not. It keeps this process alive only while a channel does. Throws UNSUPPORTED where
 * `ssh` cannot do so: since 7.4 (2016) it can; UNAVAILABLE where it ends.
 */
export async function openMultiplexer(endpoint: SshEndpoint, control: string): Promise<Multiplexer> {
  const socket = connect(control);
  const ears = new Map<number, ChannelEar>();
  const held = new Set<number>();
  const granted = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let hear = (heard: WireReader): void => {
    const type = heard.uint32();
    if (type === hello.type) return;
    hear = handOn;
    if (type === proxy.granted) return granted.resolve();
    granted.reject(tooOld(endpoint));
    socket.destroy();
  };
  const handOn = (heard: WireReader): void => {
    heard.byte();
    const type = heard.byte();
    ears.get(heard.uint32())?.hear(type, heard);
  };
  const hold = (id: number, isHeld: boolean): void => {
    if (isHeld) held.add(id);
    else held.delete(id);
    if (held.size > 0) socket.ref();
    else socket.unref();
  };
  const send = (type: number, ...values: readonly Buffer[]): void => {
    const length = 2 + values.reduce((sum, each) => sum + each.length, 0);
    // In one piece, and without a copy of what it carries.
    socket.cork();
    for (const each of [uint32(length), Buffer.from([0, type]), ...values]) socket.write(each);
    socket.uncork();
  };

  const read = messages((heard) => hear(new WireReader(heard)));
  socket.on("data", (piece: Buffer) => {
    try {
      read(piece);
    } catch (error) {
      // It speaks another protocol: nothing more of it can be understood.
      socket.destroy(error as Error);
    }
  });
  // What is wrong is known by its end.
  socket.on("error", () => undefined);
  socket.once("close", () => {
    granted.reject(brokenChannel(endpoint, "it was cut at once"));
    for (const each of ears.values()) each.lose();
    ears.clear();
    closed.resolve();
  });
  socket.write(string(Buffer.concat([uint32(hello.type), uint32(hello.version)])));
  socket.write(string(Buffer.concat([uint32(proxy.asked), uint32(0)])));
  await granted.promise;
  socket.unref();

  let number = 0;
  let refusals = 0;
  return {
    open(to, signal) {
      if (socket.closed) return Promise.resolve("gone");
      const id = (number += 1);
      const opened = Promise.withResolvers<MultiplexedChannel | Refusal | "gone">();
      const link = {
        send,
        whenSent: (act: () => void) => void socket.write("", () => act()),
        hold: (isHeld: boolean) => hold(id, isHeld),
        forget: () => void ears.delete(id),
      };
      const abort = (): void => {
        hold(id, false);
        opened.reject(signal.reason as Error);
      };
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      signal.addEventListener("abort", abort);
      ears.set(id, {
        lose: () => opened.resolve("gone"),
        hear(type, values) {
          if (type === message.openFailure) {
            refusals += 1;
            ears.delete(id);
            hold(id, false);
            opened.resolve({ isForbidden: values.uint32() === prohibited, reason: values.text() });
          } else if (type === message.openConfirmation) {
            const peer = { id: values.uint32(), window: values.uint32(), packet: values.uint32() };
            const { channel, ear } = multiplexedChannel(link, peer);
            ears.set(id, ear);
            // Whoever wanted it is gone.
            if (signal.aborted) void channel.end();
            else opened.resolve(channel);
          }
        },
      });
      hold(id, true);
      send(message.open, string(to.type), uint32(id), uint32(ownWindow), uint32(longestPacket), ...to.values);
      return opened.promise.finally(() => signal.removeEventListener("abort", abort));
    },
    get refusals() {
      return refusals;
    },
    get isGone() {
      return socket.closed;
    },
    gone: closed.promise,
  };
}

function tooOld(endpoint: SshEndpoint): CtrlPlaneError {
  const subject = describeEndpoint(endpoint);
  return new CtrlPlaneError("UNSUPPORTED", `${subject}: the \`ssh\` of this machine does not share its connection`, {
    target: subject,
    hint: "Install OpenSSH's client 7.4 or newer on this machine (`ssh -V` says which it has).",
  });
}
