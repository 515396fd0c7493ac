import type { CommandDefinition } from "../arguments/definition.ts";

export const lookCommands: readonly CommandDefinition[] = [
  {
    name: "status",
    aliases: ["ps"],
    summary: "what runs, which release, how well",
    parameters: "[services...]",
    options: [
      { long: "replicas", text: "each replica on its own line" },
      { long: "resources", text: "processor and memory in use, by replica" },
    ],
    examples: [
      ["status", "all services"],
      ["status web --replicas", "each replica of web"],
      ["status --json | jq '.services[] | select(.status.state != \"serving\")'", "what does not serve"],
    ],
    load: () => import("../commands/status.ts"),
  },
  {
    name: "logs",
    summary: "what services print",
    parameters: "[services...]",
    options: [
      { long: "follow", short: "f", text: "go on as it comes; Ctrl-C ends" },
      { long: "since", value: "TIME", text: "an age (5m) or a moment (2026-11-22T03:00)" },
      { long: "tail", short: "n", value: "N", text: "the last N lines of each replica" },
      { long: "replica", value: "NAME", text: "one replica, as status names it" },
      { long: "previous", short: "p", text: "the run before the current one" },
      { long: "change", value: "N", text: "all that replicas of this change printed, failed ones included" },
    ],
    examples: [
      ["logs web -f", "follow one service"],
      ["logs web worker --since 5m", "two services, the last five minutes"],
      ["logs web --change 42", "why change 42 failed"],
    ],
    load: () => import("../commands/logs.ts"),
  },
  {
    name: "exec",
    summary: "run a command in a running replica",
    parameters: "<service> <command...>",
    rest: "all",
    options: [
      { long: "interactive", short: "i", text: "accepted: standard input is always passed on" },
      { long: "tty", short: "t", text: "a terminal for the command (default where this is one)" },
      { long: "no-tty", short: "T", text: "no terminal" },
      { long: "provider", value: "NAME", text: "on this provider (default: the first with a ready replica)" },
      { long: "replica", value: "NAME", text: "in this replica (default: the first ready one)" },
    ],
    details: [
      "After the service all belongs to the command. Exits with the command's code; 125 to 127 are failures of pctl.",
    ],
    examples: [
      ["exec web sh", "a shell"],
      ["exec web sh -c 'echo $PORT'", "one command"],
      ["exec db psql < dump.sql", "with input"],
    ],
    load: () => import("../commands/exec.ts"),
  },
  {
    name: "run",
    summary: "run a command in a fresh replica, without traffic",
    parameters: "<service> [command...]",
    usage: "<service> [-- command...]",
    rest: "dashes",
    options: [
      { long: "provider", value: "NAME", text: "on this provider (default: the first with a ready replica)" },
      { long: "release", value: "N", text: "of this release (default: the one that serves)" },
      { long: "interactive", short: "i", text: "accepted: standard input is always passed on" },
      { long: "tty", short: "t", text: "a terminal for the command (default where this is one)" },
      { long: "no-tty", short: "T", text: "no terminal" },
    ],
    details: [
      "Without a command, the release's own one runs. Exits with the command's code; 125 to 127 are failures of pctl.",
    ],
    examples: [
      ["run web -- bin/console", "image and environment of what serves"],
      ["run web --release 14 -- sh", "look inside a release that crashed"],
    ],
    load: () => import("../commands/run.ts"),
  },
  {
    name: "history",
    summary: "changes and releases; one of them with its output",
    parameters: "[change]",
    options: [{ long: "limit", short: "n", value: "N", text: "how many changes (default 20)" }],
    examples: [
      ["history", "the last changes, and the releases kept"],
      ["history 42", "what change 42 did and printed"],
    ],
    load: () => import("../commands/history.ts"),
  },
  {
    name: "config",
    summary: "the file as it was understood: environment merged, expressions resolved, values masked",
    options: [],
    examples: [
      ["config", "as YAML"],
      ["config --env staging --json", "one environment, as JSON"],
    ],
    load: () => import("../commands/config.ts"),
  },
  {
    name: "providers",
    summary: "the platforms of this stack, and what they can do",
    options: [],
    examples: [
      ["providers", "as a table"],
      ["providers --json", "with every capability"],
    ],
    load: () => import("../commands/providers.ts"),
  },
];
