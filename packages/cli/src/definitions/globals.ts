import type { OptionDefinition } from "../arguments/definition.ts";

/** Options of every command, before it or after it. */
export const globalOptions: readonly OptionDefinition[] = [
  { long: "config", short: "c", value: "FILE", text: "the declaration (default pctl.yaml)" },
  { long: "name", value: "NAME", text: "name of the stack, instead of the file's" },
  { long: "env", value: "NAME", text: "environment (default $PCTL_ENV)" },
  { long: "env-file", value: "FILE", repeatable: true, text: "where secrets are looked up, after the environment" },
  { long: "json", text: "one JSON document, or one event a line" },
  { long: "yes", short: "y", text: "do not ask" },
  { long: "quiet", short: "q", text: "errors and the last line only" },
  { long: "debug", text: "stack traces, and calls of providers" },
  { long: "timeout", value: "TIME", text: "give up after this time, e.g. 10m" },
  {
    long: "lock-wait",
    value: "TIME",
    text: "wait this long for somebody else's change (default: as long as a lease runs)",
  },
  { long: "no-color", text: "no colours (also NO_COLOR=1)" },
];
