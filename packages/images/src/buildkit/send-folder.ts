import { messageOf } from "@ctrlplane/core/provider";
import type { ContextEntry, ContextFile } from "../context/entry.ts";
import type { GrpcCall } from "./grpc.ts";
import { bytesField, integerField, readFields, wideField } from "./protobuf.ts";

/** What a build may see under one name, and how the bytes of its files are read. */
export interface SentFolder {
  /** In the order of `BuildContext.entries`. */
  readonly entries: readonly ContextEntry[];
  read(file: ContextFile): AsyncIterable<Buffer>;
}

/** Kinds of packets of BuildKit's `fsutil`; fields: 1 kind, 2 description of an entry, 3 number of the entry, 4 bytes. */
const packet = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** Of Go's `os.FileMode`, which is what stands in a description. */
const goMode = { folder: 2 ** 31, link: 2 ** 27, setuid: 2 ** 23, setgid: 2 ** 22, sticky: 2 ** 20 } as const;

/**
 * Sends a folder to BuildKit: all entries first, then the bytes of those files that it asks for. Owners are 0.
 * Ends when the other side has all.
 */
export async function sendFolder(folder: SentFolder, call: GrpcCall): Promise<void> {
  const listing = sendListing(folder.entries, call);
  // Awaited below; until then the requests are answered.
  listing.catch(() => undefined);
  let sending = listing;
  for await (const message of call.messages) {
    const fields = readFields(message);
    const kind = fields.find((each) => each.number === 1)?.integer ?? packet.stat;
    if (kind === packet.finish) break;
    if (kind === packet.error) {
      const reason = fields.find((each) => each.number === 4)?.bytes.toString() ?? "";
      throw new Error(`the builder did not take the context: ${reason}`);
    }
    const number = fields.find((each) => each.number === 3)?.integer ?? 0;
    if (kind === packet.request) sending = sending.then(() => sendFile(number, folder, call));
    sending.catch(() => undefined);
  }
  await sending;
  await call.send(integerField(1, packet.finish));
}

async function sendListing(entries: readonly ContextEntry[], call: GrpcCall): Promise<void> {
  for (const entry of entries) await call.send(bytesField(2, statOf(entry)));
  await call.send(integerField(1, packet.stat));
}

async function sendFile(number: number, folder: SentFolder, call: GrpcCall): Promise<void> {
  const file = folder.entries[number];
  const head = Buffer.concat([integerField(1, packet.data), integerField(3, number)]);
  try {
    if (file?.kind !== "file") throw new Error(`the builder asked for entry ${number}, which is no file`);
    for await (const piece of folder.read(file)) await call.send(Buffer.concat([head, bytesField(4, piece)]));
    await call.send(head);
  } catch (error) {
    const reason = messageOf(error);
    await call.send(Buffer.concat([integerField(1, packet.error), bytesField(4, reason)]));
    throw error;
  }
}

/** Fields: 1 path, 2 mode, 3 and 4 owner, 5 bytes, 6 time, 7 target of a link. */
function statOf(entry: ContextEntry): Buffer {
  const parts = [bytesField(1, entry.path), integerField(2, modeOf(entry)), nanoseconds(6, entry.mtimeMs)];
  if (entry.kind === "file") parts.push(integerField(5, entry.bytes));
  if (entry.kind === "link") parts.push(bytesField(7, entry.target));
  return Buffer.concat(parts);
}

/** Beyond what a number holds exactly. A time before 1970 is sent as 1970. */
function nanoseconds(number: number, ms: number): Buffer {
  return wideField(number, BigInt(Math.max(0, Math.floor(ms))) * 1_000_000n);
}

function modeOf(entry: ContextEntry): number {
  const kind = entry.kind === "folder" ? goMode.folder : entry.kind === "link" ? goMode.link : 0;
  const special =
    (entry.mode & 0o4000 ? goMode.setuid : 0) +
    (entry.mode & 0o2000 ? goMode.setgid : 0) +
    (entry.mode & 0o1000 ? goMode.sticky : 0);
  return kind + special + (entry.mode & 0o777);
}
