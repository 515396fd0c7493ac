import { Header, type HeaderData } from "tar/header";
import { Pax } from "tar/pax";

/** One thing in a tar stream that goes by. */
export interface TarEntry {
  readonly path: string;
  /** For a link: what it points to, as it stands there. */
  readonly linkpath?: string;
  readonly bytes: number;
}

/** What becomes of an entry: it goes on, it is left out, or its content is read on its way. */
export type TarDecision = "pass" | "drop" | ((content: Buffer) => void);

const block = 512;

/**
 * A tar stream without the entries that `decide` drops; what passes is not changed by a byte.
 * @throws `RangeError` where the stream is no tar or ends within one.
 */
export async function* filterTar(
  input: AsyncIterable<Buffer>,
  decide: (entry: TarEntry) => TarDecision,
): AsyncGenerator<Buffer> {
  const source = byteSource(input);
  /** Headers in front of the entry that they belong to. */
  let before: Buffer[] = [];
  let extended: HeaderData | undefined;
  for (;;) {
    const head = await source.exactly(block);
    const header = new Header(head, 0, extended);
    if (header.nullBlock) {
      yield head;
      yield* source.rest();
      return;
    }
    if (!header.cksumValid) throw new RangeError("this is no tar stream");
    const bytes = header.size ?? 0;
    const padded = Math.ceil(bytes / block) * block;
    if (isAboutTheNext.has(header.type)) {
      const body = await source.exactly(padded);
      extended = { ...extended, ...readExtension(header.type, body.subarray(0, bytes).toString()) };
      before.push(head, body);
      continue;
    }
    const { path = "", linkpath } = header;
    const entry = { path, bytes, ...(linkpath === undefined || linkpath === "" ? {} : { linkpath }) };
    const decision = decide(entry);
    if (decision !== "drop") yield* [...before, head];
    if (typeof decision === "function") {
      const content = await source.exactly(padded);
      decision(content.subarray(0, bytes));
      yield content;
    } else {
      for await (const piece of source.pieces(padded)) if (decision === "pass") yield piece;
    }
    before = [];
    extended = undefined;
  }
}

const isAboutTheNext: ReadonlySet<string> = new Set([
  "ExtendedHeader",
  "NextFileHasLongPath",
  "NextFileHasLongLinkpath",
]);

function readExtension(type: string, text: string): HeaderData {
  if (type === "ExtendedHeader") return Pax.parse(text);
  const name = text.replace(/\0.*$/s, "");
  return type === "NextFileHasLongPath" ? { path: name } : { linkpath: name };
}

/** Reads a stream by counts of bytes. */
function byteSource(input: AsyncIterable<Buffer>) {
  const iterator = input[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const next = async (): Promise<Buffer | undefined> => {
    const result = await iterator.next();
    return result.done === true ? undefined : result.value;
  };
  const pieces = async function* (count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      if (held.length === 0) held = (await next()) ?? cutOff();
      const piece = held.subarray(0, left);
      held = held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  };
  return {
    pieces,
    async exactly(count: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      for await (const piece of pieces(count)) parts.push(piece);
      return Buffer.concat(parts);
    },
    async *rest(): AsyncGenerator<Buffer> {
      if (held.length > 0) yield held;
      for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
    },
  };
}

function cutOff(): never {
  throw new RangeError("the tar stream is cut off");
}
