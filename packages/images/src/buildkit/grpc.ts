import { performServerHandshake, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { messageOf } from "@ctrlplane/core/provider";

/** One call, in both directions. */
export interface GrpcCall {
  /** Metadata; a repeated one is joined by `, `. */
  readonly headers: IncomingHttpHeaders;
  /** Messages of the other side, until it has no more. */
  readonly messages: AsyncIterable<Buffer>;
  /** Resolves when there is room for more. */
  send(message: Buffer): Promise<void>;
}

/** Carries out one call. Its end ends the call; `GrpcError` ends it with a status. */
export type GrpcMethod = (call: GrpcCall) => Promise<void>;

/** The other side is told its status and message. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const grpcStatus = { unknown: 2, notFound: 5, unimplemented: 12 } as const;

/** Serves gRPC over a connection that is there already, its client on the other side. `close` ends calls and connection. */
export function serveGrpc(connection: Duplex, methods: Readonly<Record<string, GrpcMethod>>): { close(): void } {
  const session = performServerHandshake(connection);
  // What goes wrong with the connection ends the calls over it, and the build whose session it is says so.
  session.on("error", () => session.destroy());
  session.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => stream.destroy());
    const path = headers[":path"] ?? "";
    const method = Object.hasOwn(methods, path) ? methods[path] : undefined;
    void answer(stream, headers, method ?? refuse);
  });
  return {
    close: () => {
      session.destroy();
      connection.destroy();
    },
  };
}

const refuse: GrpcMethod = () => Promise.reject(new GrpcError(grpcStatus.unimplemented, "there is no such method"));

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, method: GrpcMethod): Promise<void> {
  let outcome: Readonly<Record<string, string>> = { "grpc-status": "0" };
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(outcome));
  try {
    await method({ headers, messages: messagesOf(stream), send: (message) => send(stream, message) });
  } catch (error) {
    const status = error instanceof GrpcError ? error.status : grpcStatus.unknown;
    const message = messageOf(error);
    outcome = { "grpc-status": String(status), "grpc-message": encodeURIComponent(message) };
  }
  if (!stream.destroyed) stream.end();
}

async function send(stream: ServerHttp2Stream, message: Buffer): Promise<void> {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  if (stream.destroyed) throw new Error("the call was ended by the other side");
  if (!stream.write(Buffer.concat([head, message]))) await drained(stream);
}

/** There is room again, or nobody who listens. */
function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

/** A message is a byte 0 (not compressed), its length in four bytes, and itself. */
async function* messagesOf(stream: ServerHttp2Stream): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  // Who has read enough leaves the stream open for the answer. Without an encoding, pieces are buffers.
  for await (const piece of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, piece]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      yield held.subarray(5, end);
      held = held.subarray(end);
    }
  }
}
