import { isConflict } from "./conflict.ts";
import { sha256 } from "../model/hash.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { damaged } from "./record-text.ts";

/** Below the ledger's 256 KiB, with room for what a platform adds. */
const partBytes = 192 * 1024;
const partsMark = "parts:";

/** Names the part of a record by the hash of the whole text and its index from 0. */
export type PartName = (hash: string, index: number) => string;

/**
 * Creates a record that may be longer than the ledger's limit: then its parts are written first, under names made of the
 * content, and the record itself, which lists them, last. Whoever sees it sees all of it. Nothing of it is ever swapped. Throws `CONFLICT` where it exists.
 */
export async function createLong(
  ledger: Ledger,
  name: string,
  text: string,
  partName: PartName,
  context: ProviderContext,
): Promise<void> {
  const bytes = Buffer.from(text);
  if (bytes.length <= partBytes) {
    await ledger.create(name, text, context, { isFirst: true });
    return;
  }
  const hash = sha256(bytes).slice(0, 32);
  const names: string[] = [];
  // Compressed text is ASCII; of other text a character that is cut in two parts would be lost.
  const encoded = Buffer.from(bytes.toString("base64"));
  for (let start = 0; start < encoded.length; start += partBytes) {
    const part = partName(hash, names.length);
    await createOnce(ledger, part, encoded.subarray(start, start + partBytes).toString(), context);
    names.push(part);
  }
  await ledger.create(name, partsMark + JSON.stringify({ hash, names }), context, { isFirst: true });
}

/** The whole text of what `createLong` wrote; undefined where there is none. */
export async function readLong(ledger: Ledger, name: string, context: ProviderContext): Promise<string | undefined> {
  const head = await ledger.read(name, context);
  if (head === undefined || !head.value.startsWith(partsMark)) return head?.value;
  const { hash, names } = parseHead(head.value, name);
  const parts = await Promise.all(names.map((part) => ledger.read(part, context)));
  if (parts.includes(undefined)) {
    // It may have been removed, head first, since the head was read.
    if ((await ledger.read(name, context)) === undefined) return undefined;
    throw damaged(name, "a part of it is missing");
  }
  const bytes = Buffer.from(parts.map((part) => part?.value).join(""), "base64");
  if (sha256(bytes).slice(0, 32) !== hash) throw damaged(name, "its parts are not what was written");
  return bytes.toString();
}

/** Head first, so that nobody sees a record without its parts. */
export async function removeLong(ledger: Ledger, name: string, context: ProviderContext): Promise<void> {
  const head = await ledger.read(name, context);
  if (head === undefined) return;
  await ledger.remove(name, head.version, context);
  if (!head.value.startsWith(partsMark)) return;
  for (const part of parseHead(head.value, name).names) await ledger.remove(part, undefined, context);
}

async function createOnce(ledger: Ledger, name: string, value: string, context: ProviderContext): Promise<void> {
  try {
    await ledger.create(name, value, context, { isFirst: true });
  } catch (error) {
    // Its name is made of its content: what is there is the same part, from an attempt that was broken off.
    if (!(await isConflict(error, context))) throw error;
  }
}

function parseHead(value: string, name: string): { hash: string; names: string[] } {
  try {
    // Checked by the hash over all that it names.
    return JSON.parse(value.slice(partsMark.length)) as { hash: string; names: string[] };
  } catch (cause) {
    throw damaged(name, "its list of parts cannot be read", cause);
  }
}
