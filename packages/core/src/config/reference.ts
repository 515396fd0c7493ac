import * as z from "zod";
import { expectedOf, judge, noteOf } from "./schema/members.ts";
import type { Schema } from "./schema/members.ts";
import { file } from "./schema/stack.ts";

/** The table of all fields as Markdown, for the page about `pctl.yaml`; made of the same schema that reads the file. */
export function reference(): string {
  return `${maps(file, "")
    .flatMap(({ fields }) => sections("The file", "", fields))
    .join("\n\n")}\n`;
}

type Fields = Readonly<Record<string, Schema>>;

/** The table of one map, and those of the maps inside it. */
function sections(title: string, prefix: string, fields: Fields): string[] {
  const rows = Object.entries(fields).map(([key, field]) => row(`${prefix}${key}`, field));
  const table = [`## ${title}`, "", "| field | value | meaning | default |", "|---|---|---|---|", ...rows].join("\n");
  const inner = Object.entries(fields).flatMap(([key, field]) =>
    maps(field, `${prefix}${key}`).flatMap((each) => sections(`\`${each.name}\``, `${each.name}.`, each.fields)),
  );
  return [table, ...inner];
}

function row(name: string, field: Schema): string {
  const example = noteOf(field, "example");
  const value = example === undefined ? expectedOf(field) : `${expectedOf(field)}, e.g. \`${example}\``;
  const fallback = noteOf(field, "default") ?? (field instanceof z.ZodOptional ? "none" : "**required**");
  return `| \`${name}\` | ${escaped(value)} | ${escaped(noteOf(field, "description") ?? "")} | ${escaped(fallback)} |`;
}

/** Maps with keys of ours inside a schema: itself, an alternative, an item (`[]`), a value under a name of the user's (`.NAME`). */
function maps(schema: Schema, name: string): { name: string; fields: Fields }[] {
  const inside = judge(schema);
  if (inside instanceof z.ZodObject) return [{ name, fields: inside.shape }];
  if (inside instanceof z.ZodUnion) return inside.options.flatMap((each) => maps(each, name));
  if (inside instanceof z.ZodArray) return maps(inside.element, `${name}[]`);
  if (inside instanceof z.ZodRecord) return maps(inside.valueType, `${name}.NAME`);
  return [];
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
