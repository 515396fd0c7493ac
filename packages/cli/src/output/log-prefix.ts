import type { StackLogLine } from "@ctrlplane/core";
import type { Paint, Tone } from "./paint.ts";

const tones: readonly Tone[] = ["change", "good", "warn", "strong"];

/** Says before each line whose it is: the replica without the stack's name, aligned, one colour each. */
export class LogPrefix {
  readonly #stack: string;
  readonly #paint: Paint;
  readonly #tones = new Map<string, Tone>();
  readonly #several: ReadonlySet<string>;
  #width: number;

  /** `names`: those that are expected; a longer one later moves the column. `several`: services on several providers, which are told. */
  constructor(stack: string, names: readonly string[], paint: Paint, several: ReadonlySet<string> = new Set()) {
    this.#several = several;
    this.#stack = stack;
    this.#paint = paint;
    this.#width = Math.max(0, ...names.map((name) => name.length));
  }

  render(line: StackLogLine): string {
    const start = `${this.#stack}-`;
    const replica = line.replica.startsWith(start) ? line.replica.slice(start.length) : line.replica;
    const name = this.#several.has(line.service) ? `${replica}@${line.provider}` : replica;
    this.#width = Math.max(this.#width, name.length);
    return `${this.#paint(this.#tone(name), `${name.padEnd(this.#width)} |`)} ${line.text}`.trimEnd();
  }

  #tone(name: string): Tone {
    const known = this.#tones.get(name) ?? tones[this.#tones.size % tones.length] ?? "dim";
    this.#tones.set(name, known);
    return known;
  }
}
