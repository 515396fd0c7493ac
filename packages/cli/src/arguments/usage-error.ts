import type { Invocation } from "./invocation.ts";

/** The command line itself is wrong; nothing was begun. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to type instead: a sentence. */
  readonly hint: string | undefined;
  /** As far as it was understood. */
  readonly invocation: Invocation | undefined;

  constructor(message: string, hint?: string, invocation?: Invocation) {
    super(message);
    this.hint = hint;
    this.invocation = invocation;
  }
}
