import type { StackLogLine } from "@ctrlplane/core";
import type { Paint, Tone } from "./paint.ts";

const tones: readonly Tone[] = ["change", "good", "warn", "strong"];

/** Says before each line whose it is: the replica without the stack's name, aligned, one colour each. */
export class LogPrefix {
  readonly #stack: string;
  readonly #paint: Paint;
  readonly #tones = new Map<string, Tone>();
  #width: number;

  /** `names`: those that are expected; a longer one later moves the column. */
  constructor(stack: string, names: readonly string[], paint: Paint) {
    this.#stack = stack;
    this.#paint = paint;
    this.#width = Math.max(0, ...names.map((name) => name.length));
  }

  render(line: StackLogLine): string {
    const start = `${this.#stack}-`;
    const name = line.replica.startsWith(start) ? line.replica.slice(start.length) : line.replica;
    this.#width = Math.max(this.#width, name.length);
    return `${this.#paint(this.#tone(name), `${name.padEnd(this.#width)} |`)} ${line.text}`.trimEnd();
  }

  #tone(name: string): Tone {
    const known = this.#tones.get(name) ?? tones[this.#tones.size % tones.length] ?? "dim";
    this.#tones.set(name, known);
    return known;
  }
}
