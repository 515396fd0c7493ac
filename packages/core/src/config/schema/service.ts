import type { Batch } from "../../model/spec.ts";
import {
  buildCounterparts,
  healthCounterparts,
  scaleCounterparts,
  serviceCounterparts,
  stopCounterparts,
  strategyCounterparts,
  volumeCounterparts,
} from "./counterparts.ts";
import { fields } from "./fields.ts";
import { port, portNumber } from "./ports.ts";
import { cpu, duration, memory, percent } from "./quantities.ts";
import { anyMap, convert, either, flag, integer, list, map, text, word } from "./shape.ts";
import type { Read, Shape } from "./shape.ts";

const words = list(text(), { expected: "a list of words" });
const commandWords = list(text({ allowEmpty: true }), {
  expected: "a list of arguments",
  minItems: 1,
  hint: "Remove it, or name what is to run.",
});
const commandText = text({ expected: "text for a shell", allowEmpty: true });

function envKey(name: string): { summary: string; hint?: string } | undefined {
  if (name === "" || /[=\0]/.test(name))
    return { summary: `${JSON.stringify(name)} cannot be the name of a variable`, hint: "Write `NAME: value`." };
  return undefined;
}

/** Values of env become text; their source text where they stand in the file. */
const envValue: Shape<string> = {
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

const scale = fields(
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

const health = fields(
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
const volume = fields(
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
const noVolumeText: Shape<never> = {
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

const registryFields = fields(
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

const build = fields(
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

const domainName = text({
  expected: "a host name such as shop.example.com",
  pattern: /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  hint: "Lower case, without https:// and without a path; { host, path } has both.",
});
const domainFields = fields({
  host: { shape: domainName, description: "Host name.", required: true, example: "example.com" },
  path: {
    shape: text({ expected: "a path that begins with /", pattern: /^\// }),
    description: "Requests below this path.",
    default: "/",
  },
});

const tlsFields = fields({
  email: { shape: text(), description: "Address for the certificate's authority." },
  cert: { shape: text(), description: "Certificate chain, PEM." },
  key: { shape: text(), description: "Its key, PEM; best as ${secret:NAME}." },
});

const needCondition = word(["healthy", "completed"]);
const stopSignal = text({ expected: "a signal such as SIGTERM", pattern: /^SIG[A-Z0-9]+$/ });
const stop = fields(
  {
    signal: { shape: stopSignal, description: "Sent to a replica that is to end.", default: "SIGTERM" },
    grace: { shape: duration, description: "Time from the signal to SIGKILL.", default: "10 s", example: "30" },
  },
  { counterparts: stopCounterparts },
);

const strategyWord = word(["recreate", "rolling", "blue_green", "canary"], ["blue_green", "canary"]);
const wholeNumber = integer({ expected: "a number of replicas", min: 1 });
/** `25%` fits no number, so that the alternatives stay apart. */
const batch: Shape<Batch> = either(
  convert(wholeNumber, (count): Batch => ({ count })),
  convert(percent, (share): Batch => ({ percent: share })),
);
const strategyFields = fields(
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

const providerFields = fields(
  {
    name: { shape: text(), description: "A name from `providers`, or a type.", required: true, example: "docker" },
    options: { shape: anyMap, description: "Options of the provider, for this service.", default: "{}" },
  },
  { expected: "{ name, options }", knownTo11: true, counterparts: { type: "Write `name`." } },
);

const noProviderList: Shape<never> = {
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
const secretEntry: Shape<readonly { readonly variable: string; readonly secret: string }[]> = either(
  convert(text({ expected: "the name of a secret" }), (name) => [{ variable: name, secret: name }]),
  convert(map(text({ expected: "the name of a secret" }), { key: envKey }), (names) =>
    Object.entries(names).map(([variable, secret]) => ({ variable, secret })),
  ),
);

const noEnvList: Shape<never> = {
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

export const service = fields(
  {
    kind: {
      shape: word(["service", "job"], ["job"]),
      description: "A service runs on; a job ends.",
      default: "service",
    },
    provider: {
      shape: withoutJson(either(text(), providerFields, noProviderList), [text().json, providerFields.json]),
      description: "Where it runs: a name from `providers`, a type, or { name, options }.",
      default: "`provider` of the stack",
      example: "vps1",
    },
    image: { shape: text(), description: "A folder or a Dockerfile (`./…`), or an image reference.", example: "./web" },
    build: { shape: build, description: "How the image is built, where `image: ./folder` does not say enough." },
    registry: {
      shape: either(text(), registryFields),
      description: "Where built images are pushed to and pulled from.",
    },
    command: {
      shape: either(commandText, commandWords),
      description: "Text for a shell, or a list that replaces the image's CMD.",
      example: "[node, server.js]",
    },
    entrypoint: {
      shape: list(text({ allowEmpty: true }), { expected: "a list of arguments" }),
      description: "Replaces the image's entrypoint; [] removes it.",
    },
    env: {
      shape: withoutJson(either(map(envValue, { key: envKey }), noEnvList), [map(envValue).json]),
      description: "Environment. Numbers and booleans keep their source text.",
      example: "{ PORT: 3000 }",
    },
    secrets: {
      shape: list(secretEntry),
      description: "Variables from secrets of the same name, or { VARIABLE: SECRET }.",
      example: "[STRIPE_KEY]",
    },
    files: {
      shape: map(text({ expected: "a path of a file" })),
      description: "Files to mount: path in the replica to path here. At most 1 MiB each.",
      example: "{ /etc/app.conf: ./app.conf }",
    },
    scale: { shape: scale, description: "Replicas, and what each of them may use." },
    ports: {
      shape: list(port),
      description: "Ports: 3000, 8080:3000, 127.0.0.1:5432:5432, 53:53/udp, or maps.",
      example: "[8080:3000]",
    },
    domains: {
      shape: list(either(domainName, domainFields)),
      description: "Host names that lead here.",
      example: "[shop.example.com]",
    },
    tls: { shape: either(flag, tlsFields), description: "Certificates: true, { email }, or { cert, key }." },
    health: {
      shape: health,
      description: "When a replica is healthy: http, tcp or command.",
      default: "its port opens; without ports, it lives for 5 s",
    },
    volumes: {
      shape: list(withoutJson(either(volume, noVolumeText), [volume.json])),
      description: "What outlives replicas.",
      example: "[{ path: /data }]",
    },
    needs: {
      shape: either(list(text()), map(needCondition)),
      description: "Services that must be healthy, or jobs completed, before this one starts.",
      example: "[db]",
    },
    strategy: {
      shape: either(strategyWord, strategyFields),
      description: "How a release replaces another.",
      example: "rolling",
    },
    stop: { shape: stop, description: "How a replica is ended." },
    protect: {
      shape: flag,
      description: "Never removed or replaced with its data without being named.",
      default: "false",
    },
    formerly: { shape: text(), description: "The name that this service had before." },
    keep: {
      shape: integer({ expected: "a number of releases", min: 1 }),
      description: "Releases kept of this service.",
      default: "`keep` of the stack",
    },
    schedule: {
      shape: text({ expected: 'a cron expression such as "0 3 * * *"' }),
      description: "Jobs: when it runs.",
    },
    timezone: { shape: text(), description: "Jobs: time zone of the schedule.", default: "UTC" },
    overlap: {
      shape: word(["skip", "allow"]),
      description: "Jobs: what happens while the last run goes on.",
      default: "skip",
    },
    retry: { shape: flag, description: "Jobs: repeat a run whose outcome is unknown.", default: "false" },
  },
  { expected: "a map with image", counterparts: serviceCounterparts, knownTo11: true, allowsExtensions: true },
);

/** Alternatives that only exist for their message stay out of the JSON Schema. */
function withoutJson<T>(shape: Shape<T>, alternatives: readonly object[]): Shape<T> {
  const [only] = alternatives;
  return { ...shape, json: alternatives.length === 1 && only !== undefined ? { ...only } : { anyOf: alternatives } };
}

export type DeclaredService = Read<typeof service>;
