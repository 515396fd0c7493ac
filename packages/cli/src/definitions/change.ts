import type { CommandDefinition, OptionDefinition } from "../arguments/definition.ts";

const message: OptionDefinition = {
  long: "message",
  short: "m",
  value: "TEXT",
  text: "kept with the change, shown by history",
};
const remove: OptionDefinition = {
  long: "remove",
  value: "NAME",
  repeatable: true,
  text: "remove this service although it has volumes or is protected",
};
const volumes: OptionDefinition = { long: "volumes", text: "with what is removed, its volumes and their data go too" };

/** What a plan looks at; `plan` and `deploy` share it. */
const selection: readonly OptionDefinition[] = [
  remove,
  volumes,
  { long: "adopt", text: "take over what carries our names and no mark of a stack" },
  { long: "leave-volumes", text: "move a service to another provider without its data" },
  { long: "refresh", text: "look up image tags again, and read every field" },
];

export const changeCommands: readonly CommandDefinition[] = [
  {
    name: "plan",
    summary: "show what deploy would do, and change nothing",
    parameters: "[services...]",
    options: [
      ...selection,
      { long: "exit-code", text: "exit 2 when there is something to do, 4 where a platform cannot be asked" },
    ],
    examples: [
      ["plan", "everything"],
      ["plan web --env staging", "one service, in one environment"],
      ["plan --json | jq -r .hash", "for deploy --expect"],
    ],
    load: () => import("../commands/plan.ts"),
  },
  {
    name: "deploy",
    aliases: ["up"],
    summary: "bring what runs to what the file declares",
    parameters: "[services...]",
    options: [
      { long: "expect", value: "HASH", text: "only if the plan is still the one reviewed, else exit 2" },
      { long: "atomic", text: "all or nothing: one service fails, and the whole change is reverted" },
      message,
      ...selection,
    ],
    details: [
      "Named services alone are deployed, and nothing is removed. Without names, services that left the file are removed at the end.",
      "A failed service goes back to its old release; with --atomic so do all others of the change (exit 3). Jobs that completed stay so. Killed in the middle? Run it again.",
      "A canary or blue_green with `pause: manual` ends with 4; promote and abort go on from there. With a time pctl waits, without the lease, and goes on by itself; Ctrl-C leaves it paused.",
    ],
    examples: [
      ["deploy", "everything in pctl.yaml"],
      ["deploy web -m 'new checkout'", "one service, with a note for history"],
      ["deploy --atomic", "everything, or nothing of it"],
      ["deploy --expect 3f9a1c0d22e4", "exactly the plan that was reviewed"],
      ["deploy --remove db --volumes", "db left the file: remove it and its data"],
    ],
    json: "events",
    load: () => import("../commands/deploy.ts"),
  },
  {
    name: "destroy",
    aliases: ["down"],
    summary: "remove services; volumes stay unless asked for",
    parameters: "[services...]",
    options: [remove, volumes, message],
    details: [
      "Asks first; without a terminal it needs --yes. A service that has volumes or is protected is removed only by name: --remove NAME, or when asked on a terminal.",
    ],
    examples: [
      ["destroy", "all services of the stack, after asking"],
      ["destroy web worker --yes", "two of them, without asking"],
      ["destroy --yes --remove db --volumes", "all, db and its data included"],
    ],
    json: "events",
    load: () => import("../commands/destroy.ts"),
  },
  {
    name: "rollback",
    summary: "undo the last change, or bring a service's older release back",
    parameters: "[service]",
    options: [
      { long: "to", value: "N", text: "release to go to, with a service (default: the one before)" },
      { long: "change", value: "N", text: "undo this change, when those after it were taken back already" },
      message,
    ],
    details: [
      "Shows the difference first, and asks on a terminal. Runs no job again; services with volumes only by name.",
    ],
    examples: [
      ["rollback", "undo the last change"],
      ["rollback web --to 12", "web as it was in release 12"],
      ["rollback --change 41", "change 42 failed and was reverted: undo the one before"],
      ["rollback --yes", "without asking"],
    ],
    json: "events",
    load: () => import("../commands/rollback.ts"),
  },
  {
    name: "promote",
    summary: "go on with a release that is paused at a step",
    parameters: "[services...]",
    options: [{ long: "full", text: "past all further pauses, to the whole release" }, message],
    details: ["To the next pause of its canary or blue_green, or to the end. Ends with 4 where it is paused again."],
    examples: [
      ["promote", "all that is paused"],
      ["promote web --full", "one service, without further pauses"],
    ],
    json: "events",
    load: () => import("../commands/promote.ts"),
  },
  {
    name: "abort",
    summary: "take back a release that is paused: the one before serves alone",
    parameters: "[services...]",
    options: [message],
    examples: [
      ["abort", "all that is paused"],
      ["abort web -m 'slow checkout'", "one service, with a note for history"],
    ],
    json: "events",
    load: () => import("../commands/abort.ts"),
  },
  {
    name: "scale",
    summary: "change the number of replicas, until the next deploy",
    parameters: "<replicas...>",
    usage: "<service> <replicas> | <service>=<replicas>...",
    options: [message],
    examples: [
      ["scale web 5", "5 replicas of web"],
      ["scale web=5 api=2", "two services at once"],
      ["scale web=2..10", "a range, where the provider has an autoscaler"],
    ],
    json: "events",
    load: () => import("../commands/scale.ts"),
  },
  {
    name: "start",
    summary: "start services that were stopped",
    parameters: "[services...]",
    options: [message],
    examples: [
      ["start", "all that are stopped"],
      ["start web", "one of them"],
    ],
    json: "events",
    load: () => import("../commands/start.ts"),
  },
  {
    name: "stop",
    summary: "stop services; start or deploy brings them back",
    parameters: "[services...]",
    options: [message],
    examples: [
      ["stop worker", "one service"],
      ["stop", "all services of the stack"],
    ],
    json: "events",
    load: () => import("../commands/stop.ts"),
  },
  {
    name: "restart",
    summary: "replace every replica by a new one of the same release",
    parameters: "[services...]",
    options: [message],
    examples: [
      ["restart web", "one service, without losing a request"],
      ["restart", "all services of the stack"],
    ],
    json: "events",
    load: () => import("../commands/restart.ts"),
  },
];
