import * as z from "zod";
import type { Batch } from "../../model/spec.ts";
import {
  buildCounterparts,
  healthCounterparts,
  scaleCounterparts,
  stopCounterparts,
  strategyCounterparts,
  volumeCounterparts,
} from "./counterparts.ts";
import { variableName } from "./names.ts";
import { field, noted, refuse, requiredField } from "./notes.ts";
import { portNumber } from "./ports.ts";
import { cpu, duration, memory, percent } from "./quantities.ts";
import { anyMap, envValue, flag, integer, anyText, text, word } from "./scalars.ts";

const words = noted(z.array(anyText), { expected: "a list of words" });
export const commandWords = noted(z.array(text({ allowEmpty: true })).min(1, { abort: true }), {
  expected: "a list of arguments",
  hint: "Remove it, or name what is to run.",
});
export const commandText = text({ expected: "text for a shell", allowEmpty: true });

const replicaNumber = integer({ expected: "a number of replicas", min: 0 });
const replicaRange = noted(
  z
    .array(replicaNumber)
    .meta({ minItems: 2, maxItems: 2 })
    .transform((range, context) => {
      const no = (summary: string, hint?: string) => refuse(context, { code: "wrong-value", summary, hint });
      const [min, max, ...more] = range;
      if (min === undefined || max === undefined || more.length > 0) return no("a range of replicas is [min, max]");
      if (min > max) return no(`the range [${min}, ${max}] ends before it begins`, `Write [${max}, ${min}].`);
      if (max < 1) return no("a range of replicas must reach at least 1", "Write replica: 0 for none.");
      return { min, max };
    }),
  { expected: "a range [min, max]" },
);

const gpu = z.strictObject({
  count: field(integer({ expected: "a number of GPUs", min: 1 }), {
    description: "How many a replica has.",
    default: "1",
  }),
  type: field(anyText, { description: "Which kind, in the platform's words.", example: "nvidia-l4" }),
});

export const scale = noted(
  z.strictObject({
    replica: field(z.union([replicaNumber, replicaRange]), {
      description: "Number of replicas, or a range [min, max] that the autoscaler owns.",
      default: "1",
      example: "2",
    }),
    cpu: field(cpu, { description: "Cores for each replica.", default: "no limit", example: "500m" }),
    memory: field(memory, { description: "Memory for each replica.", default: "no limit", example: "256Mi" }),
    disk: field(memory, { description: "Disk for each replica.", default: "no limit", example: "1Gi" }),
    gpu: field(gpu, { description: "GPUs for each replica.", example: "{ count: 1, type: nvidia-l4 }" }),
  }),
  { counterparts: scaleCounterparts, knownTo11: true },
);

export const health = noted(
  z.strictObject({
    http: field(text({ expected: "a path that begins with /", pattern: /^\// }), {
      description: "Healthy when GET of this path answers 200 to 399.",
      example: "/up",
    }),
    tcp: field(flag, { description: "Healthy when the port opens." }),
    command: field(z.union([commandText, commandWords]), {
      description: "Healthy when it exits 0: text for `sh -c`, or a list of arguments.",
      example: "pg_isready",
    }),
    port: field(portNumber("a port"), {
      description: "Container port for http and tcp.",
      default: "the first of `ports`",
    }),
    interval: field(duration, { description: "Time between two probes.", default: "1 s" }),
    timeout: field(duration, { description: "How long a probe may take.", default: "2 s" }),
    retries: field(integer({ expected: "a number of failures", min: 1 }), {
      description: "Failures in a row that make a replica unhealthy.",
      default: "3",
    }),
    grace: field(duration, { description: "How long after the start failures do not count.", default: "30 s" }),
    onfailure: field(word(["restart", "stop"]), {
      description: "What happens to a replica that became unhealthy.",
      default: "restart",
    }),
  }),
  { counterparts: healthCounterparts, knownTo11: true },
);

const volumeName = text({
  expected: "a name of letters, digits, `.`, `_` and `-`",
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
});
export const volume = noted(
  z.strictObject({
    path: requiredField(anyText, { description: "Where it is mounted.", example: "/data" }),
    name: field(volumeName, {
      description: "Makes it the volume {stack}-{name}, which replicas and services share.",
      default: "one volume for each replica",
    }),
    size: field(memory, { description: "Its size, where the platform asks for one.", example: "10Gi" }),
    external: field(anyText, { description: "Name of an existing volume; it is mounted and never removed." }),
    host: field(
      text({
        expected: "an absolute path",
        pattern: /^(\/|[A-Za-z]:[\\/])/,
        hint: "A folder of the host is named from its root.",
      }),
      { description: "A folder of the host, absolute." },
    ),
    readOnly: field(flag, { description: "Mounted for reading only.", default: "false" }),
  }),
  {
    expected: "a map with path",
    counterparts: volumeCounterparts,
    knownTo11: true,
    // Compose's `./data:/data` is understood well enough to say what to write.
    instead: {
      text: {
        code: "wrong-kind",
        summary: "a volume is a map, not text",
        hint: "Write { path: /data }, with `name:` for a shared volume or `host:` for a folder of the host.",
      },
    },
  },
);

export const registryFields = noted(
  z.strictObject({
    url: requiredField(anyText, {
      description: "Where images are pushed to and pulled from.",
      example: "https://registry.example.com",
    }),
    username: field(anyText, { description: "Who logs in." }),
    password: field(text({ expected: "text in quotes" }), { description: "Best as ${secret:NAME}." }),
  }),
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

export const build = noted(
  z.strictObject({
    context: requiredField(anyText, { description: "Folder that the build sees.", example: "./web" }),
    dockerfile: field(anyText, { description: "Its Dockerfile, relative to the context.", default: "Dockerfile" }),
    args: field(z.record(variableName, envValue), {
      description: "Build arguments. They stay readable in the image: no secrets.",
    }),
    target: field(anyText, { description: "Stage to build." }),
    secrets: field(words, { description: "Names of secrets that the build may mount." }),
    platform: field(anyText, { description: "Platform to build for.", example: "linux/amd64" }),
  }),
  { expected: "a map with context", counterparts: buildCounterparts },
);

export const domainName = text({
  expected: "a host name such as shop.example.com",
  pattern: /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  hint: "Lower case, without https:// and without a path; { host, path } has both.",
});
export const domainFields = z.strictObject({
  host: requiredField(domainName, { description: "Host name.", example: "example.com" }),
  path: field(text({ expected: "a path that begins with /", pattern: /^\// }), {
    description: "Requests below this path.",
    default: "/",
  }),
});

export const tlsFields = z.strictObject({
  email: field(anyText, { description: "Address for the certificate's authority." }),
  cert: field(anyText, { description: "Certificate chain, PEM." }),
  key: field(anyText, { description: "Its key, PEM; best as ${secret:NAME}." }),
});

export const needCondition = word(["healthy", "completed"]);
const stopSignal = text({ expected: "a signal such as SIGTERM", pattern: /^SIG[A-Z0-9]+$/ });
export const stop = noted(
  z.strictObject({
    signal: field(stopSignal, {
      description: "Sent to a replica that is to end.",
      default: "the image's own, or SIGTERM",
    }),
    grace: field(duration, { description: "Time from the signal to SIGKILL.", default: "10 s", example: "30" }),
  }),
  { counterparts: stopCounterparts },
);

export const strategyWord = word(["recreate", "rolling", "blue_green", "canary"]);
const wholeNumber = integer({ expected: "a number of replicas", min: 1 });
const batch = z.union([
  wholeNumber.transform((count): Batch => ({ count })),
  percent.transform((share): Batch => ({ percent: share })),
]);
const pause = noted(z.union([duration, z.literal("manual")]), {
  expected: "manual, a number of seconds, or a duration such as 500ms, 2m or 1h30m",
});
const steps = z.array(percent).superRefine((shares, context) => {
  const isRising = shares.every((share, index) => share > (shares[index - 1] ?? 0));
  if (shares.length > 0 && isRising && shares.every((share) => share < 100)) return;
  refuse(context, {
    code: "wrong-value",
    summary: "steps are shares that rise, above 0% and below 100%",
    hint: "Write e.g. [5%, 25%]; 100% follows by itself.",
  });
});
export const strategyFields = noted(
  z.strictObject({
    type: field(strategyWord, {
      description: "How a release replaces another.",
      default: "rolling with ports, none of them UDP, and without volumes; otherwise recreate",
    }),
    batch: field(batch, { description: "Replicas replaced at a time: a number or a share.", default: "25%" }),
    steps: field(steps, {
      description: "Canary: the new release's share of requests, step by step; after the last one it gets all.",
      example: "[5%, 25%]",
      default: "[5%, 25%]",
    }),
    pause: field(pause, {
      description:
        "Canary: how long each step lasts; blue_green: how long the new release runs without traffic before it gets all. `manual`: until `pctl promote`.",
      default: "manual for canary, none for blue_green",
    }),
    timeout: field(duration, { description: "How long a batch may take to become ready.", default: "2m" }),
    drain: field(duration, { description: "How long connections of a retired replica may last.", default: "30 s" }),
    onfailure: field(word(["revert", "hold"]), {
      description: "After a failure: back to the old release, or stay as it is.",
      default: "revert",
    }),
  }),
  { counterparts: strategyCounterparts },
);

export const providerFields = noted(
  z.strictObject({
    name: requiredField(anyText, { description: "A name from `providers`, or a type.", example: "docker" }),
    options: field(anyMap, { description: "Options of the provider, for this service.", default: "{}" }),
  }),
  { expected: "{ name, options }", knownTo11: true, counterparts: { type: "Write `name`." } },
);

const secretName = text({ expected: "the name of a secret" });
/** A string, or a map of one entry: variable to secret. */
export const secretEntry = z.union([
  secretName.transform((name) => [{ variable: name, secret: name }]),
  z
    .record(variableName, secretName)
    .transform((names) => Object.entries(names).map(([variable, secret]) => ({ variable, secret }))),
]);
