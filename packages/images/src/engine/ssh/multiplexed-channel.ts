import { Readable, Writable } from "node:stream";
import type { Channel } from "./channel.ts";
import { string, uint32, type WireReader } from "./wire.ts";

/** Of the SSH connection protocol (RFC 4254, section 9). */
export const message = {
  open: 90,
  openConfirmation: 91,
  openFailure: 92,
  windowAdjust: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  request: 98,
  success: 99,
  failure: 100,
} as const;

/** Bytes that the other side may send before what it sent is taken. */
export const ownWindow = 2 * 1024 * 1024;
/** Kept of what a program says. */
const keptCharacters = 8 * 1024;

/** What a channel needs of the connection that carries it. */
export interface ChannelLink {
  send(type: number, ...values: readonly Buffer[]): void;
  /** Once what was sent is with the system, or nobody takes it any more: it is not copied. */
  whenSent(act: () => void): void;
  /** Whether the connection keeps this process alive for it. */
  hold(isHeld: boolean): void;
  /** Its number is free again. */
  forget(): void;
}

/** The other side's number of a channel, and what it takes. */
export interface Peer {
  readonly id: number;
  readonly window: number;
  readonly packet: number;
}

export interface MultiplexedChannel extends Channel {
  /** Of the command; undefined: it has none, or has not ended by itself. */
  readonly exitCode: number | undefined;
  /** Runs a command, by the user's shell on the host: it must be a constant. For a session. */
  exec(command: string): void;
}

/** The side of a channel to which its connection speaks. */
export interface ChannelEar {
  hear(type: number, values: WireReader): void;
  /** The connection is gone. */
  lose(): void;
}

/** A channel that the other side has confirmed. It ends well where both sides close it and its command, if it has one, exits with 0. */
export function multiplexedChannel(link: ChannelLink, peer: Peer): { channel: MultiplexedChannel; ear: ChannelEar } {
  const to = uint32(peer.id);
  const over = Promise.withResolvers<boolean>();
  let room = peer.window;
  let taken = 0;
  let said = "";
  let exitCode: number | undefined;
  let isSession = false;
  let isClosed = false;
  let isLost = false;
  let isHeardOut = false;
  let isSaidOut = false;
  let goOn: (() => void) | undefined;

  const acknowledge = (): void => {
    if (isClosed || taken < ownWindow / 2) return;
    link.send(message.windowAdjust, to, uint32(taken));
    taken = 0;
  };
  const output = new Readable({ read: acknowledge });
  const sendAll = (chunk: Buffer, done: () => void): void => {
    // Nobody takes what is left of a channel that is closed: how it ended is told by `ended`.
    if (isSaidOut) return done();
    let at = 0;
    while (at < chunk.length && room > 0) {
      const piece = chunk.subarray(at, at + Math.min(room, peer.packet));
      at += piece.length;
      room -= piece.length;
      link.send(message.data, to, uint32(piece.length), piece);
    }
    if (at === chunk.length) link.whenSent(done);
    else goOn = () => sendAll(chunk.subarray(at), done);
  };
  const input = new Writable({
    write: (chunk: Buffer, _encoding, done) => sendAll(chunk, done),
    final(done) {
      sayOut();
      done();
    },
  });
  const proceed = (): void => {
    const next = goOn;
    goOn = undefined;
    next?.();
  };
  /** Nothing more is sent; what waits is let go. */
  const sayOut = (): void => {
    if (!isSaidOut && !isClosed) link.send(message.eof, to);
    isSaidOut = true;
    proceed();
  };
  const hearOut = (): void => {
    if (!isHeardOut && !output.destroyed) output.push(null);
    isHeardOut = true;
  };
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    if (!isLost) link.send(message.close, to);
    sayOut();
    input.destroy();
    link.hold(false);
  };
  const isTaken = new Promise((resolve) => output.once("close", resolve));

  const channel: MultiplexedChannel = {
    input,
    output,
    ended: isTaken.then(() => over.promise),
    said: () => said,
    get exitCode() {
      return exitCode;
    },
    exec(command) {
      isSession = true;
      link.send(message.request, to, string("exec"), Buffer.from([1]), string(command));
    },
    end() {
      close();
      over.resolve(false);
      output.destroy();
      return Promise.resolve();
    },
    ref: () => link.hold(!isClosed),
    unref: () => link.hold(false),
  };

  const ear: ChannelEar = {
    hear(type, values) {
      if (type === message.data) {
        const bytes = values.bytes();
        taken += bytes.length;
        if (!output.destroyed) output.push(bytes);
      } else if (type === message.extendedData) {
        values.uint32();
        const bytes = values.bytes();
        taken += bytes.length;
        said = (said + bytes.toString("utf8")).slice(-keptCharacters);
        acknowledge();
      } else if (type === message.windowAdjust) {
        room += values.uint32();
        proceed();
      } else if (type === message.eof) {
        hearOut();
        // A socket that says nothing more takes nothing more, and sshd closes it only once it knows that nothing comes: also where the engine died.
        if (!isSession) sayOut();
      } else if (type === message.request) {
        const isExit = values.text() === "exit-status";
        // By one that wants an answer, sshd sees whether we are alive.
        if (values.byte() !== 0 && !isClosed) link.send(message.failure, to);
        if (isExit) exitCode = values.uint32();
      } else if (type === message.failure) {
        said += "\nsshd runs no command";
        close();
      } else if (type === message.close) {
        over.resolve(isSession ? exitCode === 0 : true);
        close();
        hearOut();
        link.forget();
      }
    },
    lose() {
      isLost = true;
      over.resolve(false);
      close();
      hearOut();
    },
  };
  return { channel, ear };
}
