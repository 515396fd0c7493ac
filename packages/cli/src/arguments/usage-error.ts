/** What was typed, and what could have been meant; the nearest word is looked for only when the error is shown. */
export interface Guess {
  readonly word: string;
  readonly known: readonly string[];
  /** Stands before the word in the hint, e.g. `pctl `. */
  readonly before?: string;
  /** The hint where no known word is near. */
  readonly otherwise: string;
}

/** The command line itself is wrong; nothing was begun. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to type instead: a sentence, or a word to look for. */
  readonly hint: string | Guess | undefined;

  constructor(message: string, hint?: string | Guess) {
    super(message);
    this.hint = hint;
  }
}
