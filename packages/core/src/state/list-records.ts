import { join } from "node:path";
import pLimit from "p-limit";
import { entries, recordMark, tokenOf } from "./record-folder.ts";

const parallel = 32;

/** Names of the records below `root` that start with `prefix`, sorted by code unit. */
export async function listRecords(root: string, prefix: string): Promise<readonly string[]> {
  const limit = pLimit(parallel);
  const found: string[] = [];
  let folders = [prefix.slice(0, prefix.lastIndexOf("/") + 1)];
  while (folders.length > 0) {
    const listed = await limit.map(folders, (folder) => listFolder(root, folder, prefix));
    const names = listed.flatMap(({ records }) => records);
    const versions = await limit.map(names, (name) => tokenOf(join(root, name + recordMark)));
    found.push(...names.filter((_, index) => versions[index] !== undefined));
    folders = listed.flatMap((each) => each.folders);
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function listFolder(
  root: string,
  folder: string,
  prefix: string,
): Promise<{ records: string[]; folders: string[] }> {
  const records: string[] = [];
  const folders: string[] = [];
  for (const entry of await entries(join(root, folder))) {
    if (!(folder + entry).startsWith(prefix) || entry.startsWith(recordMark)) continue;
    if (entry.endsWith(recordMark)) records.push(folder + entry.slice(0, -recordMark.length));
    else folders.push(`${folder}${entry}/`);
  }
  return { records, folders };
}
