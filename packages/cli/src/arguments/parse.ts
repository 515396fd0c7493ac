import type { CommandDefinition, CommandGroup, OptionDefinition } from "./definition.ts";
import { isGroup } from "./definition.ts";
import { Invocation } from "./invocation.ts";
import { UsageError } from "./usage-error.ts";

/** What was typed: a command to carry out, or a request for help. */
export type Parsed =
  | { readonly kind: "run"; readonly invocation: Invocation }
  | { readonly kind: "help"; readonly of?: CommandDefinition | CommandGroup }
  | { readonly kind: "version" };

export interface Grammar {
  readonly commands: readonly (CommandDefinition | CommandGroup)[];
  /** Options of every command. */
  readonly globals: readonly OptionDefinition[];
}

/**
 * Reads a command line. Global options may stand before and after the command. Node's `parseArgs` cannot stop at the word after which
 * all belongs to another program (`exec`), and commander alone takes as long to load as all of `pctl --help` may.
 * Throws `UsageError`.
 */
export function parseCommandLine(words: readonly string[], grammar: Grammar): Parsed {
  const reader = new Reader(words, grammar.globals);
  const first = reader.nextPositional();
  if (reader.wants("version")) return { kind: "version" };
  if (first === undefined) return { kind: "help" };
  if (first === "help") return { kind: "help", ...findForHelp(reader.remaining(), grammar) };
  let entry = find(first, grammar.commands);
  if (isGroup(entry)) {
    const word = reader.nextPositional();
    if (word === undefined) {
      if (reader.wants("help")) return { kind: "help", of: entry };
      const names = entry.commands.map((each) => `pctl ${each.name}`);
      throw new UsageError(`pctl ${entry.name} wants one more word`, `It is one of: ${names.join(", ")}.`);
    }
    entry = find(`${entry.name} ${word}`, entry.commands);
  }
  const invocation = reader.readCommand(entry);
  if (invocation.flag("help")) return { kind: "help", of: entry };
  checkPositionals(entry, invocation);
  return { kind: "run", invocation };
}

function findForHelp(words: readonly string[], grammar: Grammar): { of?: CommandDefinition | CommandGroup } {
  const [first, second] = words;
  if (first === undefined) return {};
  const entry = find(first, grammar.commands);
  return { of: isGroup(entry) && second !== undefined ? find(`${first} ${second}`, entry.commands) : entry };
}

function find<T extends { name: string; aliases?: readonly string[] }>(name: string, among: readonly T[]): T {
  const found = among.find((each) => each.name === name || each.aliases?.includes(name) === true);
  if (found !== undefined) return found;
  const known = among.flatMap((each) => [each.name, ...(each.aliases ?? [])]);
  const otherwise = "pctl --help lists all commands.";
  throw new UsageError(`there is no command '${name}'`, { word: name, known, before: "pctl ", otherwise });
}

function checkPositionals(command: CommandDefinition, { positionals }: Invocation): void {
  const [fewest, most] = command.positionals;
  if (positionals.length < fewest) {
    throw new UsageError(`pctl ${command.name} wants ${command.parameters ?? "an argument"}`, usageHint(command));
  }
  if (positionals.length > most) {
    const extra = positionals
      .slice(most)
      .map((each) => `'${each}'`)
      .join(" ");
    throw new UsageError(`pctl ${command.name} has no use for ${extra}`, usageHint(command));
  }
}

function usageHint(command: CommandDefinition): string {
  const [example] = command.examples;
  return example === undefined ? `pctl ${command.name} --help says more.` : `For example: pctl ${example[0]}`;
}

/** Goes through the words once, left to right. */
class Reader {
  readonly #words: readonly string[];
  #at = 0;
  #known: readonly OptionDefinition[];
  #command: string | undefined;
  readonly #options = new Map<string, string[]>();

  constructor(words: readonly string[], globals: readonly OptionDefinition[]) {
    this.#words = words;
    this.#known = globals;
  }

  wants(long: string): boolean {
    return this.#options.has(long);
  }

  remaining(): readonly string[] {
    return this.#words.slice(this.#at);
  }

  /** Takes options on the way. */
  nextPositional(): string | undefined {
    for (;;) {
      const word = this.#words[this.#at];
      if (word === undefined || word === "--") return undefined;
      this.#at += 1;
      if (!isOption(word)) return word;
      this.#readOption(word);
    }
  }

  readCommand(command: CommandDefinition): Invocation {
    this.#known = [...this.#known, ...command.options];
    this.#command = command.name;
    const positionals: string[] = [];
    const most = command.rest === undefined ? Infinity : 1;
    while (positionals.length < most) {
      const word = this.nextPositional();
      if (word === undefined) break;
      positionals.push(word);
    }
    // `run web --release 3 -- sh`: between service and command there may still be options, unless all belongs to the command.
    let rest: readonly string[] = [];
    if (command.rest === "dashes") {
      const word = this.nextPositional();
      rest = word === undefined ? [] : [word];
    }
    if (this.#words[this.#at] === "--" && rest.length === 0) this.#at += 1;
    if (command.rest === undefined) positionals.push(...this.remaining());
    else rest = [...rest, ...this.remaining()];
    return new Invocation(command, this.#options, positionals, rest);
  }

  #readOption(word: string): void {
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word : word.slice(0, equals);
      this.#take(this.#option(name), name, equals < 0 ? undefined : word.slice(equals + 1));
      return;
    }
    for (let index = 1; index < word.length; index += 1) {
      const name = `-${word.charAt(index)}`;
      const option = this.#option(name);
      const attached = word.slice(index + 1);
      this.#take(option, name, option.value === undefined || attached === "" ? undefined : attached);
      if (option.value !== undefined) return;
    }
  }

  #option(name: string): OptionDefinition {
    const found = this.#known.find((each) => name === `--${each.long}` || name === `-${each.short}`);
    if (found !== undefined) return found;
    const known = this.#known.map((each) => `--${each.long}`);
    const where = this.#command === undefined ? "pctl" : `pctl ${this.#command}`;
    throw new UsageError(`${where} has no option ${name}`, {
      word: name,
      known,
      otherwise: `${where} --help lists them.`,
    });
  }

  #take(option: OptionDefinition, name: string, attached: string | undefined): void {
    const values = this.#options.get(option.long) ?? [];
    this.#options.set(option.long, values);
    if (option.value === undefined) {
      if (attached !== undefined) throw new UsageError(`${name} takes no value, got '${attached}'`);
      return;
    }
    const value = attached ?? this.#words[this.#at];
    if (value === undefined || (attached === undefined && isOption(value))) {
      throw new UsageError(`${name} wants a value: ${name} ${option.value}`);
    }
    if (attached === undefined) this.#at += 1;
    values.push(value);
  }
}

function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}
