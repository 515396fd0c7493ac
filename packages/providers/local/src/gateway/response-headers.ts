import type { ResponseHead } from "./response-parser.ts";

/** The replica's headers for the client: all of them in case and order, without what belongs to the replica's connection alone. */
export function endToEndHeaders(head: ResponseHead): string[] {
  const raw = head.rawHeaders;
  const listed =
    head.connection === "" || head.connection === "close" || head.connection === "keep-alive"
      ? undefined
      : head.connection.split(",").map((each) => each.trim());
  let kept: string[] | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const isDropped =
      isConnectionHeader(name) || (listed !== undefined && listed.includes(name.toLowerCase()) && name.length !== 14);
    if (isDropped) kept ??= raw.slice(0, index);
    else kept?.push(name, raw[index + 1] ?? "");
  }
  return kept ?? raw;
}

function isConnectionHeader(name: string): boolean {
  switch (name.length) {
    case 10:
    case 16:
    case 17: {
      const lower = name.toLowerCase();
      return (
        lower === "connection" ||
        lower === "keep-alive" ||
        lower === "proxy-connection" ||
        lower === "transfer-encoding"
      );
    }
    default:
      return false;
  }
}

/** Status line, headers and the empty line, for a client whose socket is written to without Node's `ServerResponse`. */
export function headText(head: ResponseHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${head.status} ${head.statusText}\r\n`;
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${text}\r\n`;
}
