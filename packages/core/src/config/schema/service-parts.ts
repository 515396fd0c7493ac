import type { Batch } from "../../model/spec.ts";
import {
  buildCounterparts,
  healthCounterparts,
  scaleCounterparts,
  stopCounterparts,
  strategyCounterparts,
  volumeCounterparts,
} from "./counterparts.ts";
import { fields } from "./fields.ts";
import { portNumber } from "./ports.ts";
import { cpu, duration, memory, percent } from "./quantities.ts";
import { anyMap, convert, either, flag, integer, list, map, text, word } from "./shape.ts";
import type { Shape } from "./shape.ts";

const words = list(text(), { expected: "a list of words" });
export const commandWords = list(text({ allowEmpty: true }), {
  expected: "a list of arguments",
  minItems: 1,
  hint: "Remove it, or name what is to run.",
});
export const commandText = text({ expected: "text for a shell", allowEmpty: true });

export function envKey(name: string): { summary: string; hint?: string } | undefined {
  if (name === "" || /[=\0]/.test(name))
    return { summary: `${JSON.stringify(name)} cannot be the name of a variable`, hint: "Write `NAME: value`." };
  return undefined;
}

/** Values of env become text; their source text where they stand in the file. */
export const envValue: Shape<string> = {
  expected: "text, a number, or true or false",
  fits: (value) => ["string", "number", "boolean"].includes(typeof value),
  read: (value, at) => text({ allowEmpty: true }).read(String(value), at),
  json: { type: ["string", "number", "boolean"] },
};

const replicaNumber = integer({ expected: "a number of replicas", min: 0 });
const replicaRange: Shape<{ min: number; max: number }> = convert(
  list(replicaNumber, { expected: "a range [min, max]" }),
  (range, at) => {
    const [min, max, ...more] = range;
    if (min === undefined || max === undefined || more.length > 0)
      return at.problem({ code: "wrong-value", summary: "a range of replicas is [min, max]" });
    if (min > max)
      return at.problem({
        code: "wrong-value",
        summary: `the range [${min}, ${max}] ends before it begins`,
        hint: `Write [${max}, ${min}].`,
      });
    if (max < 1)
      return at.problem({
        code: "wrong-value",
        summary: "a range of replicas must reach at least 1",
        hint: "Write replica: 0 for none.",
      });
    return { min, max };
  },
);

const gpu = fields({
  count: {
    shape: integer({ expected: "a number of GPUs", min: 1 }),
    description: "How many a replica has.",
    default: "1",
  },
  type: { shape: text(), description: "Which kind, in the platform's words.", example: "nvidia-l4" },
});

export const scale = fields(
  {
    replica: {
      shape: either(replicaNumber, replicaRange),
      description: "Number of replicas, or a range [min, max] that the autoscaler owns.",
      default: "1",
      example: "2",
    },
    cpu: { shape: cpu, description: "Cores for each replica.", default: "no limit", example: "500m" },
    memory: { shape: memory, description: "Memory for each replica.", default: "no limit", example: "256Mi" },
    disk: { shape: memory, description: "Disk for each replica.", default: "no limit", example: "1Gi" },
    gpu: { shape: gpu, description: "GPUs for each replica.", example: "{ count: 1, type: nvidia-l4 }" },
  },
  { counterparts: scaleCounterparts, knownTo11: true },
);

export const health = fields(
  {
    http: {
      shape: text({ expected: "a path that begins with /", pattern: /^\// }),
      description: "Healthy when GET of this path answers 200 to 399.",
      example: "/up",
    },
    tcp: { shape: flag, description: "Healthy when the port opens." },
    command: {
      shape: either(commandText, commandWords),
      description: "Healthy when it exits 0: text for `sh -c`, or a list of arguments.",
      example: "pg_isready",
    },
    port: {
      shape: portNumber("a port"),
      description: "Container port for http and tcp.",
      default: "the first of `ports`",
    },
    interval: { shape: duration, description: "Time between two probes.", default: "1 s" },
    timeout: { shape: duration, description: "How long a probe may take.", default: "2 s" },
    retries: {
      shape: integer({ expected: "a number of failures", min: 1 }),
      description: "Failures in a row that make a replica unhealthy.",
      default: "3",
    },
    grace: { shape: duration, description: "How long after the start failures do not count.", default: "30 s" },
    onfailure: {
      shape: word(["restart", "stop"]),
      description: "What happens to a replica that became unhealthy.",
      default: "restart",
    },
  },
  { counterparts: healthCounterparts, knownTo11: true },
);

const volumeName = text({
  expected: "a name of letters, digits, `.`, `_` and `-`",
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
});
export const volume = fields(
  {
    path: { shape: text(), description: "Where it is mounted.", required: true, example: "/data" },
    name: {
      shape: volumeName,
      description: "Makes it the volume {stack}-{name}, which replicas and services share.",
      default: "one volume for each replica",
    },
    size: { shape: memory, description: "Its size, where the platform asks for one.", example: "10Gi" },
    external: { shape: text(), description: "Name of an existing volume; it is mounted and never removed." },
    host: {
      shape: text({
        expected: "an absolute path",
        pattern: /^(\/|[A-Za-z]:[\\/])/,
        hint: "A folder of the host is named from its root.",
      }),
      description: "A folder of the host, absolute.",
    },
    readOnly: { shape: flag, description: "Mounted for reading only.", default: "false" },
  },
  { expected: "a map with path", counterparts: volumeCounterparts, knownTo11: true },
);

/** Compose's `./data:/data` is understood well enough to say what to write. */
export const noVolumeText: Shape<never> = {
  expected: "a map with path",
  fits: (value) => typeof value === "string",
  read: (_value, at) =>
    at.problem({
      code: "wrong-kind",
      summary: "a volume is a map, not text",
      hint: "Write { path: /data }, with `name:` for a shared volume or `host:` for a folder of the host.",
    }),
  json: {},
};

export const registryFields = fields(
  {
    url: {
      shape: text(),
      description: "Where images are pushed to and pulled from.",
      required: true,
      example: "https://registry.example.com",
    },
    username: { shape: text(), description: "Who logs in." },
    password: { shape: text({ expected: "text in quotes" }), description: "Best as ${secret:NAME}." },
  },
  {
    expected: "a map with url",
    knownTo11: true,
    counterparts: {
      user: "Write `username`.",
      server: "Write `url`.",
      token: "Write `password`.",
      insecure: "Remove it.",
    },
  },
);

export const build = fields(
  {
    context: { shape: text(), description: "Folder that the build sees.", required: true, example: "./web" },
    dockerfile: { shape: text(), description: "Its Dockerfile, relative to the context.", default: "Dockerfile" },
    args: {
      shape: map(envValue, { key: envKey }),
      description: "Build arguments. They stay readable in the image: no secrets.",
    },
    target: { shape: text(), description: "Stage to build." },
    secrets: { shape: words, description: "Names of secrets that the build may mount." },
    platform: { shape: text(), description: "Platform to build for.", example: "linux/amd64" },
  },
  { expected: "a map with context", counterparts: buildCounterparts },
);

export const domainName = text({
  expected: "a host name such as shop.example.com",
  pattern: /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  hint: "Lower case, without https:// and without a path; { host, path } has both.",
});
export const domainFields = fields({
  host: { shape: domainName, description: "Host name.", required: true, example: "example.com" },
  path: {
    shape: text({ expected: "a path that begins with /", pattern: /^\// }),
    description: "Requests below this path.",
    default: "/",
  },
});

export const tlsFields = fields({
  email: { shape: text(), description: "Address for the certificate's authority." },
  cert: { shape: text(), description: "Certificate chain, PEM." },
  key: { shape: text(), description: "Its key, PEM; best as ${secret:NAME}." },
});

export const needCondition = word(["healthy", "completed"]);
const stopSignal = text({ expected: "a signal such as SIGTERM", pattern: /^SIG[A-Z0-9]+$/ });
export const stop = fields(
  {
    signal: { shape: stopSignal, description: "Sent to a replica that is to end.", default: "SIGTERM" },
    grace: { shape: duration, description: "Time from the signal to SIGKILL.", default: "10 s", example: "30" },
  },
  { counterparts: stopCounterparts },
);

export const strategyWord = word(["recreate", "rolling", "blue_green", "canary"], ["blue_green", "canary"]);
const wholeNumber = integer({ expected: "a number of replicas", min: 1 });
/** `25%` fits no number, so that the alternatives stay apart. */
const batch: Shape<Batch> = either(
  convert(wholeNumber, (count): Batch => ({ count })),
  convert(percent, (share): Batch => ({ percent: share })),
);
export const strategyFields = fields(
  {
    type: {
      shape: strategyWord,
      description: "How a release replaces another.",
      default: "rolling with ports, none of them UDP, and without volumes; otherwise recreate",
    },
    batch: { shape: batch, description: "Replicas replaced at a time: a number or a share.", default: "25%" },
    steps: {
      shape: list(percent),
      description: "Canary: the new release's share of requests, step by step.",
      example: "[5%, 25%]",
    },
    pause: {
      shape: either(wordManual(), duration),
      description: "Canary: how long each step lasts, or `manual`: until `pctl promote`.",
      default: "manual",
    },
    timeout: { shape: duration, description: "How long a batch may take to become ready.", default: "2m" },
    drain: { shape: duration, description: "How long connections of a retired replica may last.", default: "30 s" },
    onfailure: {
      shape: word(["revert", "hold"]),
      description: "After a failure: back to the old release, or stay as it is.",
      default: "revert",
    },
  },
  { counterparts: strategyCounterparts },
);

function wordManual(): Shape<"manual"> {
  return { ...word(["manual"]), fits: (value) => value === "manual" };
}

export const providerFields = fields(
  {
    name: { shape: text(), description: "A name from `providers`, or a type.", required: true, example: "docker" },
    options: { shape: anyMap, description: "Options of the provider, for this service.", default: "{}" },
  },
  { expected: "{ name, options }", knownTo11: true, counterparts: { type: "Write `name`." } },
);

export const noProviderList: Shape<never> = {
  expected: "a list of providers",
  fits: (value) => Array.isArray(value),
  read: (_value, at) =>
    at.problem({
      code: "later",
      summary: "a list of providers comes with a later version",
      hint: "Until then name one provider.",
    }),
  json: { type: "array", items: { type: "string" } },
};

/** A string, or a map of one entry: variable to secret. */
export const secretEntry: Shape<readonly { readonly variable: string; readonly secret: string }[]> = either(
  convert(text({ expected: "the name of a secret" }), (name) => [{ variable: name, secret: name }]),
  convert(map(text({ expected: "the name of a secret" }), { key: envKey }), (names) =>
    Object.entries(names).map(([variable, secret]) => ({ variable, secret })),
  ),
);

export const noEnvList: Shape<never> = {
  expected: "a map",
  fits: (value) => Array.isArray(value),
  read: (_value, at) =>
    at.problem({
      code: "wrong-kind",
      summary: "env is a map, not a list",
      hint: "Write `NAME: value`, each on a line of its own.",
    }),
  json: {},
};

/** Alternatives that only exist for their message stay out of the JSON Schema. */
export function withoutJson<T>(shape: Shape<T>, alternatives: readonly object[]): Shape<T> {
  const [only] = alternatives;
  return { ...shape, json: alternatives.length === 1 && only !== undefined ? { ...only } : { anyOf: alternatives } };
}
