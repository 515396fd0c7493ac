import { Duplex } from "node:stream";
import { callbackify } from "node:util";
import type { Channel } from "./channel.ts";

/** What an HTTP agent asks of a socket besides being a stream. */
export interface ChannelStream extends Duplex {
  /** Whether it keeps this process alive. */
  ref(): void;
  unref(): void;
}

/**
 * A channel as the socket of an HTTP request; it is opened at once, and what is written meanwhile waits. Destroyed, the channel ends. `broken`
 * makes the error for one that did not end well.
 */
export function channelStream(
  open: (signal: AbortSignal) => Promise<Channel>,
  broken: (channel: Channel) => Error,
): ChannelStream {
  const given = new AbortController();
  let channel: Channel | undefined;
  let isFinished = false;

  const stream = new Duplex({
    // One whose other side has ended takes no further request: an agent would keep it for the next one.
    allowHalfOpen: false,
    construct: callbackify(async () => {
      channel = await open(given.signal);
      wire(channel);
    }),
    read() {
      channel?.output.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      // Where nobody takes it any more, what was said before that is still to be read: how it ended is told by `ended`.
      channel?.input.write(chunk, () => done());
    },
    final(done) {
      // Where it has ended already there is nobody to tell.
      if (channel === undefined || channel.input.destroyed) done();
      else channel.input.end(() => done());
    },
    destroy(error, done) {
      if (!isFinished) void channel?.end();
      done(error);
    },
  });

  function wire(opened: Channel): void {
    opened.output.on("data", (chunk: Buffer) => {
      if (!stream.push(chunk)) opened.output.pause();
    });
    void opened.ended.then((isWell) => {
      isFinished = true;
      if (isWell) stream.push(null);
      else stream.destroy(broken(opened));
    });
  }

  const destroy = stream.destroy.bind(stream);
  return Object.assign(stream, {
    // What is being opened is given up at once: a stream waits for its construction before it is destroyed.
    destroy(error?: Error) {
      given.abort(error ?? new DOMException("the request was given up", "AbortError"));
      return destroy(error);
    },
    ref: () => channel?.ref(),
    unref: () => channel?.unref(),
    // Of a network's socket; `ssh` looks after its connection itself, and a caller's signal after time.
    setKeepAlive: () => stream,
    setNoDelay: () => stream,
    setTimeout: () => stream,
  });
}
