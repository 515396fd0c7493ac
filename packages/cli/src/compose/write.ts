import type { Comments } from "./comments.ts";
import type { Draft, DraftItem } from "./draft.ts";
import { escapeText } from "./variables.ts";
import { writeComment, writeEntry, writeScalar } from "./yaml-text.ts";

export interface Written {
  readonly name: string;
  readonly from: string;
  readonly drafts: readonly Draft[];
  readonly comments: Comments;
  readonly custom: ReadonlyMap<string, string>;
  /** Comments about the stack as a whole. */
  readonly remarks: readonly string[];
}

/** The text of a `pctl.yaml`, in the order of the compose file and with its comments. */
export function writeStack({ name, from, drafts, comments, custom, remarks }: Written): string {
  const texts = Object.fromEntries([...custom].map(([key, text]) => [key, escapeText(text)]));
  const lines = [
    ...comments.head.map((line) => `# ${line}`),
    ...writeComment(`Made of ${from} by \`pctl init\`. What has no counterpart is said where it stood.`, 0),
    ...writeEntry("name", name, 0),
    "provider: docker # the engine that `docker` uses; another host: `pctl providers`, docs/providers/docker.md",
    ...(custom.size === 0 ? [] : writeEntry("custom", texts, 0)),
    ...remarks.flatMap((each) => writeComment(each, 0)),
    ...(drafts.length === 0 ? ["services: {}"] : ["services:"]),
    ...drafts.flatMap((draft, index) => [...(index === 0 ? [] : [""]), ...writeService(draft, comments)]),
  ];
  return `${lines.join("\n")}\n`;
}

function writeService(draft: Draft, comments: Comments): string[] {
  const path = `services.${draft.name}`;
  const above = (key: string, indent: number): string[] =>
    (comments.above.get(key) ?? []).map((line) => `${" ".repeat(indent)}# ${line}`);
  const said = new Set<string>();
  const lines = [...above(path, 2), `  ${writeScalar(draft.name, "block")}:`];
  for (const item of draft.items.toSorted(byPlace)) {
    if (item.kind === "comment") {
      for (const text of item.lines) if (!said.has(text)) lines.push(...writeComment(text, 4));
      item.lines.forEach((text) => said.add(text));
      continue;
    }
    const from = `${path}.${item.from}`;
    if (!said.has(from)) lines.push(...above(from, 4));
    said.add(from);
    const written =
      item.key === "env" ? writeEnv(draft, from, comments) : writeEntry(item.key, draft.fields.get(item.key), 4);
    const behind = comments.behind.get(from);
    if (behind !== undefined && written.length === 1) lines.push(`${written[0] ?? ""} # ${behind}`);
    else lines.push(...written);
  }
  return lines;
}

/** As in the compose file; what is said of a field stands above it. */
function byPlace(one: DraftItem, other: DraftItem): number {
  return one.order - other.order || rank(one) - rank(other);
}

function rank({ kind }: DraftItem): number {
  return kind === "comment" ? 0 : 1;
}

function writeEnv(draft: Draft, from: string, comments: Comments): string[] {
  const lines = ["    env:"];
  for (const [name, value] of Object.entries(draft.map("env"))) {
    const path = `${from}.${name}`;
    lines.push(...(comments.above.get(path) ?? []).map((line) => `      # ${line}`));
    const [first = "", ...more] = writeEntry(name, value, 6, true);
    const behind = more.length === 0 ? comments.behind.get(path) : undefined;
    lines.push(behind === undefined ? first : `${first} # ${behind}`, ...more);
  }
  return lines;
}
