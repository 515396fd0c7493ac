import type { Diagnostic } from "@ctrlplane/core";
import type { Field } from "./field.ts";
import type { Variables } from "./variables.ts";

/** What all services of a compose file share while they are translated. */
export interface Surroundings {
  readonly variables: Variables;
  /** Of the file that is to be written, absolute: its paths are relative to it. */
  readonly folder: string;
  /** Compose's name of the project, which its volumes begin with. */
  readonly project: string;
  /** The file from its root. */
  readonly root: Field;
  /** Names of the services that are translated. */
  readonly services: ReadonlySet<string>;
  /** Those of them that another one waits for to end. */
  readonly jobs: ReadonlySet<string>;
  /** What has no counterpart, and what is different: in the order in which it was found. */
  readonly notes: Diagnostic[];
  /** Files of variables that a deploy has to be given by `--env-file`, relative to `folder`. */
  readonly envFiles: Set<string>;
}

/** Something that is written of a service: a field, or a comment. */
export type DraftItem = { readonly order: number } & (
  | { readonly kind: "field"; readonly key: string; readonly from: string }
  | { readonly kind: "comment"; readonly lines: readonly string[] }
);

/** A service of `pctl.yaml` in the making. What is written follows the order of the compose file. */
export class Draft {
  readonly name: string;
  readonly around: Surroundings;
  readonly items: DraftItem[] = [];
  readonly fields = new Map<string, unknown>();
  /** Variables that are taken from secrets: which from which. */
  readonly secrets = new Map<string, string>();
  readonly #keys: readonly string[];
  #key = "";

  constructor(name: string, keys: readonly string[], around: Surroundings) {
    this.name = name;
    this.around = around;
    this.#keys = keys;
  }

  /** What is set and said from now on comes of this key of the service. */
  begin(key: string): void {
    this.#key = key;
  }

  set(key: string, value: unknown): void {
    if (!this.fields.has(key)) this.items.push({ order: this.#order, kind: "field", key, from: this.#key });
    this.fields.set(key, value);
  }

  /** Adds to a list. */
  add(key: string, ...values: readonly unknown[]): void {
    if (values.length > 0) this.set(key, [...this.list(key), ...values]);
  }

  list(key: string): readonly unknown[] {
    const known = this.fields.get(key);
    return Array.isArray(known) ? known : [];
  }

  /** Adds to a map. */
  merge(key: string, entries: Readonly<Record<string, unknown>>): void {
    if (Object.keys(entries).length > 0) this.set(key, { ...this.map(key), ...entries });
  }

  map(key: string): Readonly<Record<string, unknown>> {
    const known = this.fields.get(key);
    return known !== undefined && !Array.isArray(known) ? (known as Record<string, unknown>) : {}; // only `merge` makes maps
  }

  addSecret(variable: string, secret: string): void {
    this.secrets.set(variable, secret);
    this.set(
      "secrets",
      [...this.secrets].map(([name, from]) => (name === from ? name : { [name]: from })),
    );
  }

  comment(...lines: readonly string[]): void {
    this.items.push({ order: this.#order, kind: "comment", lines });
  }

  /** Has no counterpart: said on the terminal and in the file. */
  leave(field: Field, summary: string, instead: string): void {
    this.#note(field.diagnostic("warning", "no-counterpart", summary, instead));
    this.comment(`Left out: ${summary}. ${instead}`);
  }

  /** Is translated, and not quite the same. */
  differs(field: Field, summary: string, hint: string): void {
    this.#note(field.diagnostic("info", "differs", summary, hint));
    this.comment(`${upperFirst(summary)}. ${hint}`);
  }

  #note(note: Diagnostic): void {
    this.around.notes.push(note);
  }

  /** What it runs stands first, wherever `<<` or `extends` brought it from. */
  get #order(): number {
    if (this.#key === "image" || this.#key === "build") return -1;
    const index = this.#keys.indexOf(this.#key);
    return index < 0 ? this.#keys.length : index;
  }
}

function upperFirst(text: string): string {
  // A word of the file keeps its case.
  return /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
