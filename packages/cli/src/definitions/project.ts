import type { CommandDefinition, CommandGroup } from "../arguments/definition.ts";

export const projectCommands: readonly CommandDefinition[] = [
  {
    name: "init",
    summary: "write a first pctl.yaml for this folder",
    options: [
      { long: "from", value: "FILE", text: "a compose file to translate" },
      { long: "force", text: "write over a file that is there" },
    ],
    details: [
      "Looks at what is there (package.json, Dockerfile, a Procfile, ...), and writes what it suggests.",
      "With --from it says the same as a compose file, for the provider `docker`; what has no counterpart is named, here and in the file.",
    ],
    examples: [
      ["init", "pctl.yaml here"],
      ["init --from compose.yaml", "the services of a compose file"],
      ["init --from docker-compose.yml --force", "again, over the pctl.yaml that is there"],
      ["init --name shop -c deploy/pctl.yaml", "another name and place"],
    ],
    load: () => import("../commands/init.ts"),
  },
  {
    name: "check",
    summary: "all problems of the file, before anything is touched",
    options: [],
    examples: [
      ["check", "positions, reasons, and what to do"],
      ["check --env production --json", "for a pipeline"],
    ],
    load: () => import("../commands/check.ts"),
  },
  {
    name: "doctor",
    summary: "check this machine and every provider, and say what to do",
    options: [],
    examples: [
      ["doctor", "Node, configuration, providers, clock, disk, key"],
      ["doctor --json", "the same as one document; exit 1 when something is wrong"],
    ],
    load: () => import("../commands/doctor.ts"),
  },
];

export const upkeepCommands: readonly (CommandDefinition | CommandGroup)[] = [
  {
    name: "state",
    summary: "the state file and the lease: show, rebuild, unlock",
    commands: [
      {
        name: "state show",
        summary: "what is recorded of this stack",
        options: [],
        examples: [
          ["state show", "as a table"],
          ["state show --json", "the whole document"],
        ],
        load: () => import("../commands/state-show.ts"),
      },
      {
        name: "state rebuild",
        summary: "write the state file anew from what the platforms know",
        options: [],
        examples: [
          ["state rebuild", "the file is lost or damaged"],
          ["state rebuild --env production", "in one environment"],
        ],
        load: () => import("../commands/state-rebuild.ts"),
      },
      {
        name: "state unlock",
        summary: "take the lease away from whoever holds it",
        options: [],
        details: [
          "Rarely needed: a lease that nobody renews ends by itself within 15 s. Its holder stops before its next write.",
        ],
        examples: [
          ["state unlock", "after asking"],
          ["state unlock --yes", "without asking"],
        ],
        load: () => import("../commands/state-unlock.ts"),
      },
    ],
  },
  {
    name: "local",
    summary: "the processes behind the provider `local`: status, start, stop",
    commands: [
      {
        name: "local status",
        summary: "supervisor, gateway and replicas on this machine",
        options: [
          { long: "dir", value: "FOLDER", text: "data folder (default: $PCTL_LOCAL_DIR, else the provider's default)" },
        ],
        examples: [
          ["local status", "what runs, of all stacks"],
          ["local status --json", "as one document"],
        ],
        load: () => import("../commands/local-status.ts"),
      },
      {
        name: "local start",
        summary: "bring back what should run on this machine, e.g. after it was restarted",
        options: [
          { long: "dir", value: "FOLDER", text: "data folder (default: $PCTL_LOCAL_DIR, else the provider's default)" },
        ],
        details: ["Needs no pctl.yaml: it starts the replicas of all stacks that were running before."],
        examples: [
          ["local start", "after a restart of the machine"],
          ["local start --dir ./data", "those of another data folder"],
        ],
        load: () => import("../commands/local-start.ts"),
      },
      {
        name: "local stop",
        summary: "end supervisor, gateway and all replicas of this machine",
        options: [
          { long: "dir", value: "FOLDER", text: "data folder (default: $PCTL_LOCAL_DIR, else the provider's default)" },
        ],
        details: ["Nothing is forgotten: the next command that changes something brings all of it back."],
        examples: [
          ["local stop", "after asking"],
          ["local stop --yes", "without asking"],
        ],
        load: () => import("../commands/local-stop.ts"),
      },
    ],
  },
  {
    name: "schema",
    summary: "the JSON Schema of pctl.yaml",
    options: [],
    examples: [
      ["schema > pctl.schema.json", "for an editor"],
      ["schema | jq .properties.services", "a part of it"],
    ],
    load: () => import("../commands/schema.ts"),
  },
  {
    name: "version",
    summary: "versions of pctl and Node",
    options: [],
    examples: [
      ["version", "as text"],
      ["version --json", "as one document"],
    ],
    load: () => import("../commands/version.ts"),
  },
];
