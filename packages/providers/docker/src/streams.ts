import type { Readable } from "node:stream";

/** A piece of what a container without a terminal printed. */
export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

const headerBytes = 8;

/** Takes the engine's framing apart. */
export async function* framesOf(source: Readable): AsyncGenerator<Frame> {
  for await (const frames of frameBatches(source)) yield* frames;
}

/** The same, with what came at once together: what prints much is read without a step for each piece. */
export async function* frameBatches(source: Readable): AsyncGenerator<readonly Frame[]> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const { frames, rest } = takeFrames(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
    pending = rest;
    if (frames.length > 0) yield frames;
  }
}

/** 1 byte for the stream, 3 of nothing, 4 of length (big endian), then the data. */
function takeFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= headerBytes) {
    const end = at + headerBytes + bytes.readUInt32BE(at + 4);
    if (bytes.length < end) break;
    frames.push({ stream: bytes[at] === 2 ? "stderr" : "stdout", data: bytes.subarray(at + headerBytes, end) });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}
