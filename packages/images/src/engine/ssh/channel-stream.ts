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
 * A channel as the socket of an HTTP request; it is opened at once, and what is written meanwhile waits. Destroyed, its process ends. `broken`
 * makes the error for a channel that ended with an exit code other than 0.
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
      // Where nobody takes it any more, what was said before that is still to be read: `close` tells how it ended.
      channel?.input.write(chunk, () => done());
    },
    final(done) {
      // Where the process has ended already there is nobody to tell; how it ended is told by its `close`.
      if (channel === undefined || channel.input.destroyed) done();
      else channel.input.end(() => done());
    },
    destroy(error, done) {
      if (!isFinished) channel?.process.kill();
      done(error);
    },
  });

  function wire(opened: Channel): void {
    opened.output.on("data", (chunk: Buffer) => {
      if (!stream.push(chunk)) opened.output.pause();
    });
    opened.process.once("close", (code) => {
      isFinished = true;
      if (code === 0) stream.push(null);
      else stream.destroy(broken(opened));
    });
  }

  const parts = () => [channel?.process, channel?.input, channel?.output, channel?.process.stderr];
  const destroy = stream.destroy.bind(stream);
  return Object.assign(stream, {
    // What is being opened is given up at once: a stream waits for its construction before it is destroyed.
    destroy(error?: Error) {
      given.abort(error ?? new DOMException("the request was given up", "AbortError"));
      return destroy(error);
    },
    ref: () => parts().forEach((each) => (each as { ref?(): void } | null | undefined)?.ref?.()),
    unref: () => parts().forEach((each) => (each as { unref?(): void } | null | undefined)?.unref?.()),
    // Of a network's socket; `ssh` looks after its connection itself, and a caller's signal after time.
    setKeepAlive: () => stream,
    setNoDelay: () => stream,
    setTimeout: () => stream,
  });
}
