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
  /** As the help writes them, e.g. `[services...]`. */
  readonly parameters?: string;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [number, number];
  /**
   * `all`: after the first positional argument everything belongs to the command that is run, as with ssh.
   * `dashes`: what follows `--`, or the second positional argument, does.
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

export function isGroup(entry: CommandDefinition | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
