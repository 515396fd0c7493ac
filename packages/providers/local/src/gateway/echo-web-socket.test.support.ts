import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Listener for `upgrade`: a WebSocket (RFC 6455) that sends every text of up to 125 bytes back, and answers a close. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let held = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    // Clients mask: two bytes of head, four of mask, then the text.
    for (let size = (held[1] ?? 0) & 127; held.length >= 6 && held.length >= 6 + size; size = (held[1] ?? 0) & 127) {
      const mask = held.subarray(2, 6);
      const text = held.subarray(6, 6 + size).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      const first = held[0] ?? 0;
      socket.write(Buffer.concat([Buffer.from([first, size]), text]));
      held = held.subarray(6 + size);
      if ((first & 15) === 8) socket.end();
    }
  });
}
