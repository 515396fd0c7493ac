import type { Socket } from "node:net";

/**
 * A client that says nothing for this long waits for the server to speak: no HTTP. Long enough for a lost packet to be sent again: a
 * client of HTTP that counted as silent would be cut off by the next deploy.
 */
const silenceMs = 1_000;
const longestRequestLine = 64 * 1024;

const methods = new Set(
  [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
  ].concat(
    [
      "REPORT",
      "SEARCH",
      "PURGE",
      "LINK",
      "UNLINK",
      "BIND",
      "REBIND",
      "UNBIND",
      "ACL",
      "MERGE",
      "NOTIFY",
      "SUBSCRIBE",
      "UNSUBSCRIBE",
      "MKACTIVITY",
      "MKCALENDAR",
    ],
    ["CHECKOUT", "M-SEARCH", "SOURCE", "QUERY"],
  ),
);

/** What the first bytes of a client are; undefined while more are needed to tell. */
export function protocolOf(bytes: Buffer): "http" | "tcp" | undefined {
  const lineEnd = bytes.indexOf(10);
  const line = bytes.toString("latin1", 0, lineEnd < 0 ? Math.min(bytes.length, longestRequestLine) : lineEnd);
  const space = line.indexOf(" ");
  if (space < 0) return lineEnd < 0 && [...methods].some((method) => method.startsWith(line)) ? undefined : "tcp";
  if (!methods.has(line.slice(0, space))) return "tcp";
  if (lineEnd < 0) return line.length >= longestRequestLine ? "tcp" : undefined;
  // `GET name` is a word of other protocols too.
  return / HTTP\/1\.[01]\r?$/.test(line) ? "http" : "tcp";
}

/** Calls `decided` once, with what was read put back and the socket paused; never, where the client went away first. */
export function awaitFirstBytes(socket: Socket, decided: (protocol: "http" | "tcp") => void): void {
  let seen: Buffer | undefined;
  let turn: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // It is the client's silence that counts, not ours: what came while this process was busy is read first.
    turn = setImmediate(() => decide(seen?.includes(" /") === true ? "http" : "tcp"));
  }, silenceMs);
  const decide = (protocol: "http" | "tcp"): void => {
    stop();
    socket.pause();
    if (seen !== undefined) socket.unshift(seen);
    decided(protocol);
  };
  const stop = (): void => {
    clearTimeout(timer);
    clearImmediate(turn);
    socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", stop);
  };
  const onData = (chunk: Buffer): void => {
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const protocol = protocolOf(seen);
    if (protocol !== undefined) decide(protocol);
  };
  const onEnd = (): void => {
    // A probe that connects and leaves; or a client that said all it has to say.
    if (seen === undefined) socket.end();
    else decide("tcp");
  };
  const onError = (): void => {
    socket.destroy();
  };
  socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", stop);
}
