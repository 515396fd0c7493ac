import type { Readable } from "node:stream";

/** A piece of what a container without a terminal printed. */
export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

const headerBytes = 8;

/** Takes the engine's framing apart: 1 byte for the stream, 3 of nothing, 4 of length (big endian), then the data. */
export async function* framesOf(source: Readable): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= headerBytes) {
      const end = at + headerBytes + pending.readUInt32BE(at + 4);
      if (pending.length < end) break;
      yield { stream: pending[at] === 2 ? "stderr" : "stdout", data: pending.subarray(at + headerBytes, end) };
      at = end;
    }
    pending = pending.subarray(at);
  }
}
