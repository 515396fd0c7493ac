import { join } from "node:path";
import { entries, recordMark, tokenOf } from "./record-folder.ts";

/** Names of the records below `root` that start with `prefix`, sorted by code unit. */
export function listRecords(root: string, prefix: string): readonly string[] {
  const found: string[] = [];
  let folders = [prefix.slice(0, prefix.lastIndexOf("/") + 1)];
  while (folders.length > 0) {
    const listed = folders.map((folder) => listFolder(root, folder, prefix));
    const names = listed.flatMap(({ records }) => records);
    found.push(...names.filter((name) => tokenOf(join(root, name + recordMark)) !== undefined));
    folders = listed.flatMap((each) => each.folders);
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

function listFolder(root: string, folder: string, prefix: string): { records: string[]; folders: string[] } {
  const records: string[] = [];
  const folders: string[] = [];
  for (const entry of entries(join(root, folder))) {
    if (!(folder + entry).startsWith(prefix) || entry.startsWith(recordMark)) continue;
    if (entry.endsWith(recordMark)) records.push(folder + entry.slice(0, -recordMark.length));
    else folders.push(`${folder}${entry}/`);
  }
  return { records, folders };
}
