import { onCall, type Liar } from "./liar.ts";

interface CreateArgs {
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, number>>;
  readonly instance: { readonly name: string };
  readonly ordinal: number;
}

/** Lies about what programs see, and what limits them. */
export const liarsOfEnvironment: readonly Liar[] = [
  {
    name: "values lose their outer spaces",
    around: onValue((value) => value.trim()),
    caughtBy: ["environment.spaces-are-kept", "environment.lines-are-kept"],
  },
  {
    name: "values end at a space",
    around: onValue((value) => value.replace(/(\S) .*/s, "$1")),
    caughtBy: [
      "exec.has-the-environment-of-its-replica",
      "environment.plain-values-arrive",
      "environment.spaces-are-kept",
      "environment.quotes-are-kept",
      "environment.nothing-is-expanded",
      "environment.letters-of-all-scripts-are-kept",
      "environment.many-values-arrive",
    ],
  },
  {
    name: "values end at an equals sign",
    around: onValue((value) => value.replace(/(.)=.*/s, "$1")),
    caughtBy: ["environment.equals-signs-are-kept"],
  },
  {
    name: "values lose their quotes",
    around: onValue((value) => value.replaceAll(/["'`]/g, "")),
    caughtBy: ["environment.quotes-are-kept"],
  },
  {
    name: "dollars are expanded",
    around: onValue((value) => value.replaceAll(/\$\w+/g, "")),
    caughtBy: ["environment.nothing-is-expanded"],
  },
  {
    name: "line ends become spaces",
    around: onValue((value) => value.replaceAll(/\r?\n/g, " ")),
    caughtBy: ["environment.lines-are-kept"],
  },
  {
    name: "numbers are normalised",
    around: onValue((value) => (/^[\d.]+$/.test(value) ? String(Number(value)) : value)),
    caughtBy: ["environment.numbers-stay-texts"],
  },
  {
    name: "letters are those of ASCII",
    around: onValue((value) => value.replaceAll(/[^\t-~]/gu, "?")),
    caughtBy: ["environment.letters-of-all-scripts-are-kept"],
  },
  {
    name: "values have 4 KiB",
    around: onValue((value) => value.slice(0, 4_096)),
    caughtBy: ["environment.long-values-are-whole"],
  },
  {
    name: "empty values are left out",
    around: onEntries((entries) => entries.filter(([, value]) => value !== "")),
    caughtBy: ["environment.an-empty-value-is-empty"],
  },
  {
    name: "a hundred values have to do",
    around: onEntries((entries) => entries.slice(0, 100)),
    caughtBy: ["environment.many-values-arrive"],
  },
  {
    name: "the environment of the one who deploys leaks",
    around: onEntries((entries) => [
      ...Object.entries(process.env).map(([key, value]): [string, string] => [key, value ?? ""]),
      ...entries,
    ]),
    caughtBy: ["environment.ours-is-not-the-programs"],
  },
  {
    name: "the environment of the first release stays",
    around: keepsFirst(),
    caughtBy: ["environment.a-change-reaches-the-program"],
  },
  {
    name: "the first replica alone has an environment",
    around: onCall<CreateArgs>("create", (args) => (args.ordinal === 1 ? args : { ...args, env: {} })),
    caughtBy: ["environment.every-replica-has-it"],
  },
  {
    name: "limits are forgotten",
    around: onCall<CreateArgs>("create", (args) => ({ ...args, limits: {} })),
    caughtBy: ["limits.memory-is-limited-or-refused", "limits.cpu-is-limited-or-refused"],
  },
  {
    name: "a limit is set that nobody asked for",
    around: onCall<CreateArgs>("create", (args) => ({ ...args, limits: { memoryMb: 512, ...args.limits } })),
    caughtBy: ["limits.cpu-is-limited-or-refused", "limits.no-limit-is-no-limit"],
  },
  {
    name: "a disk limit is accepted, and does not work",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request.release.spec.scale.diskMb === undefined ? request : { ...request, replicas: 0 }, context),
    }),
    caughtBy: ["limits.disk-is-not-ignored"],
  },
  {
    name: "the use of one replica is not measured",
    lie: (honest) => ({
      async resources(request, context) {
        const usage = await honest.resources(request, context);
        return { ...usage, replicas: usage.replicas.slice(1) };
      },
    }),
    caughtBy: ["limits.usage-names-every-replica"],
  },
];

function onEntries(change: (entries: readonly [string, string][]) => readonly [string, string][]) {
  return onCall<CreateArgs>("create", (args) => ({
    ...args,
    env: Object.fromEntries(change(Object.entries(args.env))),
  }));
}

function onValue(change: (value: string) => string) {
  return onEntries((entries) => entries.map(([key, value]) => [key, change(value)]));
}

function keepsFirst() {
  const first = new Map<string, CreateArgs["env"]>();
  return onCall<CreateArgs>("create", (args) => {
    const { name } = args.instance;
    const env = first.get(name) ?? args.env;
    first.set(name, env);
    return { ...args, env };
  });
}
