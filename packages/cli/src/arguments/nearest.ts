import leven from "leven";

/** Words of other tools, and ours for them. */
const counterparts: Readonly<Record<string, string>> = {
  apply: "deploy",
  build: "deploy",
  console: "run",
  delete: "destroy",
  diff: "plan",
  lint: "check",
  list: "status",
  ls: "status",
  remove: "destroy",
  releases: "history",
  rm: "destroy",
  shell: "exec",
  ssh: "exec",
  undo: "rollback",
  validate: "check",
};

/** The known word that was most likely meant; undefined where none is near. Case does not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const counterpart = counterparts[wanted];
  if (counterpart !== undefined && known.includes(counterpart)) return counterpart;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const each of known) {
    const distance = leven(wanted, each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}
