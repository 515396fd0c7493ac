import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@ctrlplane/core/provider";
import type { ContextFile } from "./entry.ts";
import type { BuildContext } from "./read-context.ts";
import { changed, explainRead } from "./read-entry.ts";

/** Files up to this are read at once: opening a stream takes longer. */
const wholeBytes = 256 * 1024;

/** The bytes of a file of the context. Throws `CONFLICT` at its end where they are not what was hashed. */
export async function* readContextFile(entry: ContextFile, { source }: BuildContext): AsyncGenerator<Buffer> {
  const path = join(source.context, entry.path);
  try {
    if (entry.bytes > wholeBytes) yield* inPieces(path, entry, source.declared);
    else {
      const content = readFileSync(path);
      if (sha256(content) !== entry.sha256) throw changed(entry.path, source.declared);
      if (content.length > 0) yield content;
    }
  } catch (error) {
    throw explainRead(error, entry.path, source.declared);
  }
}

async function* inPieces(path: string, entry: ContextFile, declared: string): AsyncGenerator<Buffer> {
  const digest = createHash("sha256");
  let bytes = 0;
  // Without an encoding, pieces are buffers.
  for await (const piece of createReadStream(path, { highWaterMark: wholeBytes }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > entry.bytes) throw changed(entry.path, declared);
    digest.update(piece);
    yield piece;
  }
  if (bytes !== entry.bytes || digest.digest("hex") !== entry.sha256) throw changed(entry.path, declared);
}
