import type { Readable, Writable } from "node:stream";

/** A connection to the engine, or to what is beside it on its host: two directions, by whatever carries them. */
export interface Channel {
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when it has ended, after the last of its output: whether well. */
  readonly ended: Promise<boolean>;
  /** What was said of it so far, for a message; `""` where nothing was. */
  said(): string;
  /** Ends it; resolves when nothing of it runs any more. */
  end(): Promise<void>;
  /** Whether it keeps this process alive. */
  ref(): void;
  unref(): void;
}
