import type { Diagnostic, YamlSource } from "@ctrlplane/core";

/** A compose file that was read. */
export interface ComposeSource {
  /** As messages show it. */
  readonly file: string;
  /** Absolute: its paths are relative to it. */
  readonly folder: string;
  readonly yaml: YamlSource;
}

/** Where an entry was written. */
export interface Origin {
  readonly source: ComposeSource;
  readonly container: object;
  readonly key: string | number;
}

type Container = Readonly<Record<string, unknown>> | readonly unknown[];

/** What is known while files are read: where moved entries come from, and the problems that were found. */
export interface Reading {
  readonly problems: Diagnostic[];
  /** Entries that `extends` put into another map, by that map. */
  readonly origins: WeakMap<object, Map<string, Origin>>;
}

export function newReading(): Reading {
  return { problems: [], origins: new WeakMap() };
}

/** One entry of a compose file, with its place. */
export class Field {
  readonly value: unknown;
  readonly key: string | number;
  /** Dotted, for messages: `services.web.ports[0]`. */
  readonly name: string;
  readonly origin: Origin;
  readonly #reading: Reading;

  constructor(reading: Reading, origin: Origin, name: string) {
    const moved = reading.origins.get(origin.container)?.get(String(origin.key));
    this.#reading = reading;
    // Arrays and records are both read by their keys.
    this.value = (origin.container as Record<string | number, unknown>)[origin.key];
    this.key = origin.key;
    this.origin = moved ?? origin;
    this.name = name;
  }

  static root(reading: Reading, source: ComposeSource, root: object): Field {
    return new Field(reading, { source, container: { root }, key: "root" }, "");
  }

  /** Folder that its paths are relative to. */
  get folder(): string {
    return this.origin.source.folder;
  }

  /** An entry of a map; undefined where there is none, or it is null. */
  get(key: string): Field | undefined {
    const { value } = this;
    return isMap(value) && Object.hasOwn(value, key) && value[key] !== null ? this.#child(value, key) : undefined;
  }

  /** Entries of a map, null ones too; none of null. Anything else is a problem. */
  entries(): readonly Field[] {
    const { value } = this;
    if (value === null || value === undefined) return [];
    if (isMap(value)) return Object.keys(value).map((key) => this.#child(value, key));
    this.problem(`${this.name} is a map`, "Write `key: value`, each on a line of its own.");
    return [];
  }

  /** Items of a list; none of null. Anything else is a problem. */
  items(): readonly Field[] {
    const { value } = this;
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((_, index) => this.#child(value, index));
    this.problem(`${this.name} is a list`, "Write `- item`, each on a line of its own.");
    return [];
  }

  get isMap(): boolean {
    return isMap(this.value);
  }

  get isList(): boolean {
    return Array.isArray(this.value);
  }

  /** Text of a scalar; undefined with a problem for maps and lists. */
  get text(): string | undefined {
    const { value } = this;
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    this.problem(`${this.name} is a text`);
    return undefined;
  }

  get isTrue(): boolean {
    return this.value === true || this.value === "true";
  }

  problem(summary: string, hint?: string): undefined {
    this.#reading.problems.push(this.diagnostic("error", "compose", summary, hint));
    return undefined;
  }

  diagnostic(severity: Diagnostic["severity"], code: string, summary: string, hint?: string): Diagnostic {
    const { source, container, key } = this.origin;
    const range = source.yaml.rangeOf(container, key, severity === "error" ? "value" : "key");
    return {
      severity,
      code,
      summary,
      path: source.file,
      ...(range === undefined ? {} : { range }),
      ...(this.name === "" ? {} : { field: this.name }),
      ...(hint === undefined ? {} : { hint }),
    };
  }

  #child(container: Container, key: string | number): Field {
    const name = typeof key === "number" ? `${this.name}[${key}]` : this.name === "" ? key : `${this.name}.${key}`;
    return new Field(this.#reading, { source: this.origin.source, container, key }, name);
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
