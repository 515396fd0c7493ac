import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { layout, replicaFiles } from "../layout.ts";
import { readJsonFile } from "../process/json-file.ts";
import { removeTree } from "../process/remove-tree.ts";
import { namesIn } from "./read.ts";
import type { ReplicaRecord } from "./records.ts";

/** Removed replicas whose logs are kept, of one instance. */
const archivedReplicas = 20;

/** What of a replica outlives its removal: records and logs, nothing of its environment or its files. */
const kept = /^(replica\.json|state\.json|run\.json|exit\.json|log(\.\d+)?|log(\.\d+)?\.index)$/;

/** Takes a replica out of `replicas` in one step; what remains of it is in the archive when this returns. */
export function archiveReplica(dir: string, id: string): void {
  const paths = layout(dir);
  mkdirSync(paths.trash, { recursive: true, mode: 0o700 });
  renameSync(join(paths.replicas, id), join(paths.trash, id));
  moveToArchive(dir, id);
}

/** Deletes what removals left behind, those too that an earlier supervisor had begun. */
export async function emptyTrash(dir: string): Promise<void> {
  const { trash } = layout(dir);
  for (const id of namesIn(trash)) {
    moveToArchive(dir, id);
    await removeTree(join(trash, id));
  }
}

/** Deletes replicas that were never completely made. */
export async function removeUnfinished(dir: string): Promise<void> {
  const { replicas } = layout(dir);
  for (const id of namesIn(replicas)) {
    const folder = join(replicas, id);
    if (!existsSync(replicaFiles(folder).record)) await removeTree(folder);
  }
}

function moveToArchive(dir: string, id: string): void {
  const from = join(layout(dir).trash, id);
  const record = readJsonFile<ReplicaRecord>(replicaFiles(from).record);
  if (record === undefined) return;
  const to = join(layout(dir).archive, record.instance, id);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  // The record last: without it, this would not be done again after a crash.
  const files = readdirSync(from).filter((name) => kept.test(name) && name !== "replica.json");
  for (const name of [...files, "replica.json"]) renameSync(join(from, name), join(to, name));
  prune(join(layout(dir).archive, record.instance));
}

/** The oldest go. */
function prune(folder: string): void {
  const made = namesIn(folder).map((id) => {
    const record = readJsonFile<ReplicaRecord>(replicaFiles(join(folder, id)).record);
    return { id, at: record?.createdAt ?? "" };
  });
  made.sort((a, b) => (a.at < b.at ? 1 : -1));
  for (const { id } of made.slice(archivedReplicas)) rmSync(join(folder, id), { recursive: true, force: true });
}
