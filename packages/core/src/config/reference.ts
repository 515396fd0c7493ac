import { isFieldsShape } from "./schema/fields.ts";
import type { Field, FieldsShape } from "./schema/fields.ts";
import { membersOf } from "./schema/shape.ts";
import type { Shape } from "./schema/shape.ts";
import { environmentsDescription, stack } from "./schema/stack.ts";

/** The table of all fields as Markdown, for the page about `pctl.yaml`; made of the same schema that reads the file. */
export function reference(): string {
  const sections: string[] = [];
  write("The file", "", stack, sections);
  return `${sections.join("\n\n")}\n`;
}

function write(
  title: string,
  prefix: string,
  shape: FieldsShape<Readonly<Record<string, Field<unknown>>>>,
  sections: string[],
): void {
  const rows = Object.entries(shape.fields).map(([key, field]) => row(`${prefix}${key}`, field));
  if (prefix === "") rows.push(`| \`environments\` | a map of maps | ${environmentsDescription} | none |`);
  sections.push([`## ${title}`, "", "| field | value | meaning | default |", "|---|---|---|---|", ...rows].join("\n"));
  for (const [key, field] of Object.entries(shape.fields)) {
    for (const { inner, suffix } of maps(field.shape, "")) {
      const name = `${prefix}${key}${suffix}`;
      write(`\`${name}\``, `${name}.`, inner, sections);
    }
  }
}

function row(name: string, field: Field<unknown>): string {
  const value =
    field.example === undefined ? field.shape.expected : `${field.shape.expected}, e.g. \`${field.example}\``;
  const fallback = field.default ?? (field.required === true ? "**required**" : "none");
  return `| \`${name}\` | ${escaped(value)} | ${escaped(field.description)} | ${escaped(fallback)} |`;
}

/** Maps with keys of ours inside a shape: itself, an alternative, an item (`[]`), a value under a name of the user's (`.NAME`). */
function maps(
  shape: Shape<unknown>,
  suffix: string,
): { inner: FieldsShape<Readonly<Record<string, Field<unknown>>>>; suffix: string }[] {
  if (isFieldsShape(shape)) return [{ inner: shape, suffix }];
  return membersOf(shape).flatMap((member) => maps(member.shape, `${suffix}${member.suffix}`));
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
