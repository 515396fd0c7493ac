import { Readable } from "node:stream";
import { Header, type HeaderData } from "tar/header";
import { Pax } from "tar/pax";
import type { ContextEntry, ContextFile } from "./entry.ts";
import type { BuildContext } from "./read-context.ts";
import { readContextFile } from "./read-file.ts";

const block = 512;
const joinedBytes = 256 * 1024;

/** A file made here, sent beside what was read. */
export interface ExtraFile {
  readonly path: string;
  readonly content: Buffer;
  /** Default 0o644. */
  readonly mode?: number;
}

/**
 * The context as a tar stream: in the order of its entries; owners are 0. Each file is hashed again on its way.
 * `extra` files replace entries of the same path. The stream fails with `CONFLICT` where a file is not what was hashed.
 */
export function tarOf(context: BuildContext, extra: readonly ExtraFile[] = []): Readable {
  return Readable.from(joined(pieces(context, extra)), { objectMode: false });
}

/** Fewer and larger pieces: each one costs a turn of the event loop, and most files are small. */
async function* joined(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of input) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < joinedBytes) continue;
    yield Buffer.concat(held);
    [held, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/** Files made here, and nothing else. */
export function tarOfFiles(files: readonly ExtraFile[]): Readable {
  return Readable.from(extraPieces(files), { objectMode: false });
}

async function* pieces(context: BuildContext, extra: readonly ExtraFile[]): AsyncGenerator<Buffer> {
  const replaced = new Set(extra.map((each) => each.path));
  for (const entry of context.entries) {
    if (replaced.has(entry.path)) continue;
    yield* headerOf(entry);
    if (entry.kind !== "file") continue;
    yield* readContextFile(entry, context);
    yield* padding(entry.bytes);
  }
  yield* extraPieces(extra);
}

async function* extraPieces(files: readonly ExtraFile[]): AsyncGenerator<Buffer> {
  for (const { path, content, mode = 0o644 } of files) {
    yield* headerOf({ kind: "file", path, mode, mtimeMs: 0, bytes: content.length });
    yield content;
    yield* padding(content.length);
  }
  yield Buffer.alloc(2 * block);
}

function headerOf(entry: Exclude<ContextEntry, ContextFile> | Omit<ContextFile, "sha256">): readonly Buffer[] {
  const data: HeaderData = {
    path: entry.kind === "folder" ? `${entry.path}/` : entry.path,
    mode: entry.mode,
    uid: 0,
    gid: 0,
    mtime: new Date(Math.floor(entry.mtimeMs / 1000) * 1000),
    size: entry.kind === "file" ? entry.bytes : 0,
    type: entry.kind === "folder" ? "Directory" : entry.kind === "link" ? "SymbolicLink" : "File",
    ...(entry.kind === "link" ? { linkpath: entry.target } : {}),
  };
  const header = new Header(data);
  const bytes = Buffer.alloc(block);
  // What is too long for the fixed fields, or not ASCII, goes before it in a header of its own.
  const needsPax = header.encode(bytes);
  return needsPax ? [new Pax(data).encode(), bytes] : [bytes];
}

function padding(bytes: number): readonly Buffer[] {
  return bytes % block === 0 ? [] : [Buffer.alloc(block - (bytes % block))];
}
