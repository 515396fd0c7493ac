import type { Invocation } from "./invocation.ts";

/** An option of a command, or one of all commands. */
export interface OptionDefinition {
  /** Without the dashes, e.g. `lock-wait`. */
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  /** Placeholder of its value in the help, e.g. `HASH`. Absent: it takes none. */
  readonly value?: string;
  /** May be given more than once; all values count. Otherwise the last one does. */
  readonly repeatable?: true;
  readonly text: string;
}

/** A module under `commands/`. Returns the exit code. */
export interface CommandModule {
  run(invocation: Invocation): Promise<number>;
}

export interface CommandDefinition {
  /** As typed, e.g. `state show`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Its arguments as commander reads them: `<service>`, `[services...]`. Absent: it takes none. */
  readonly parameters?: string;
  /** How the help writes the arguments, where that says more than `parameters`. */
  readonly usage?: string;
  /**
   * What follows the first argument is a command to run in a replica. `all`: options too belong to that command, as with ssh;
   * `dashes`: those after `--` do.
   */
  readonly rest?: "all" | "dashes";
  readonly options: readonly OptionDefinition[];
  /** What `--json` prints: the events of a change, one a line, or (default) one document. */
  readonly json?: "events";
  /** Command line without `pctl`, and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Paragraphs under the summary. */
  readonly details?: readonly string[];
  /** Loads its code; nothing else of it has been loaded until then. */
  readonly load: () => Promise<CommandModule>;
}

/** Commands under one word: `state show`, `state rebuild`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandDefinition[];
}

/** All that can be typed. */
export interface Grammar {
  /** Commands under their headings, in the order of `pctl --help`. */
  readonly sections: readonly (readonly [string, readonly (CommandDefinition | CommandGroup)[]])[];
  /** Options of every command, before it or after it. */
  readonly globals: readonly OptionDefinition[];
}

export function isGroup(entry: CommandDefinition | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
