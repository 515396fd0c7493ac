import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { ContextFile } from "./entry.ts";
import type { BuildContext } from "./read-context.ts";
import { changed, explainRead } from "./read-entry.ts";

/** The bytes of a file of the context. Throws `CONFLICT` at its end where they are not what was hashed. */
export async function* readContextFile(entry: ContextFile, context: BuildContext): AsyncGenerator<Buffer> {
  const { context: root, declared } = context.source;
  const digest = createHash("sha256");
  let bytes = 0;
  try {
    // Without an encoding, pieces are buffers.
    const content = createReadStream(join(root, entry.path), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
    for await (const piece of content) {
      bytes += piece.length;
      if (bytes > entry.bytes) throw changed(entry.path, declared);
      digest.update(piece);
      yield piece;
    }
  } catch (error) {
    throw explainRead(error, entry.path, declared);
  }
  if (bytes !== entry.bytes || digest.digest("hex") !== entry.sha256) throw changed(entry.path, declared);
}
