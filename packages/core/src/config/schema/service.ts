import * as z from "zod";
import { serviceCounterparts } from "./counterparts.ts";
import { withExtensions } from "./extensions.ts";
import { variableName } from "./names.ts";
import { field, noted } from "./notes.ts";
import { port } from "./ports.ts";
import { envValue, flag, integer, anyText, text, word } from "./scalars.ts";

import {
  build,
  commandText,
  commandWords,
  domainFields,
  domainName,
  health,
  needCondition,
  providerFields,
  registryFields,
  scale,
  secretEntry,
  stop,
  strategyFields,
  strategyWord,
  tlsFields,
  volume,
} from "./service-parts.ts";

/** Other tools' forms are understood well enough to say what to write. */
const env = noted(z.record(variableName, envValue), {
  instead: {
    "a list": {
      code: "wrong-kind",
      summary: "env is a map, not a list",
      hint: "Write `NAME: value`, each on a line of its own.",
    },
  },
});
const provider = z.union([anyText, z.array(anyText), providerFields]);

const fields = noted(
  z.strictObject({
    kind: field(word(["service", "job"]), {
      description: "A service runs on; a job ends.",
      default: "service",
    }),
    provider: field(provider, {
      description:
        "Where it runs: a name from `providers`, a type, or { name, options }. A list of names: one instance on each, deployed and reverted together.",
      default: "`provider` of the stack",
      example: "vps1",
    }),
    image: field(anyText, {
      description: "A folder or a Dockerfile (`./…`), or an image reference.",
      example: "./web",
    }),
    build: field(build, { description: "How the image is built, where `image: ./folder` does not say enough." }),
    registry: field(z.union([anyText, registryFields]), {
      description: "Where built images are pushed to and pulled from.",
    }),
    command: field(z.union([commandText, commandWords]), {
      description: "Text for a shell, or a list that replaces the image's CMD.",
      example: "[node, server.js]",
    }),
    entrypoint: field(noted(z.array(text({ allowEmpty: true })), { expected: "a list of arguments" }), {
      description: "Replaces the image's entrypoint; [] removes it.",
    }),
    env: field(env, {
      description: "Environment. Numbers and booleans keep their source text.",
      example: "{ PORT: 3000 }",
    }),
    secrets: field(z.array(secretEntry), {
      description: "Variables from secrets of the same name, or { VARIABLE: SECRET }.",
      example: "[STRIPE_KEY]",
    }),
    files: field(z.record(z.string(), text({ expected: "a path of a file" })), {
      description: "Files to mount: path in the replica to path here. At most 1 MiB each.",
      example: "{ /etc/app.conf: ./app.conf }",
    }),
    scale: field(scale, { description: "Replicas, and what each of them may use." }),
    ports: field(z.array(port), {
      description: "Ports: 3000, 8080:3000, 127.0.0.1:5432:5432, 53:53/udp, or maps.",
      example: "[8080:3000]",
    }),
    domains: field(z.array(z.union([domainName, domainFields])), {
      description: "Host names that lead here.",
      example: "[shop.example.com]",
    }),
    tls: field(z.union([flag, tlsFields]), { description: "Certificates: true, { email }, or { cert, key }." }),
    health: field(health, {
      description: "When a replica is healthy: http, tcp or command.",
      default: "its port opens; without ports, it lives for 5 s",
    }),
    volumes: field(z.array(volume), {
      description: "What outlives replicas.",
      example: "[{ path: /data }]",
    }),
    needs: field(z.union([z.array(anyText), z.record(z.string(), needCondition)]), {
      description: "Services that must be healthy, or jobs completed, before this one starts.",
      example: "[db]",
    }),
    strategy: field(z.union([strategyWord, strategyFields]), {
      description: "How a release replaces another.",
      example: "rolling",
    }),
    stop: field(stop, { description: "How a replica is ended." }),
    protect: field(flag, {
      description: "Never removed or replaced with its data without being named.",
      default: "false",
    }),
    formerly: field(anyText, { description: "The name that this service had before." }),
    keep: field(integer({ expected: "a number of releases", min: 1 }), {
      description: "Releases kept of this service.",
      default: "`keep` of the stack",
    }),
    schedule: field(text({ expected: 'a cron expression such as "0 3 * * *"' }), {
      description: "Jobs: when it runs: minute, hour, day, month, day of the week; a sixth field in front is seconds.",
      example: '"0 3 * * *"',
    }),
    timezone: field(anyText, {
      description: "Jobs: time zone of the schedule, a name of the IANA database.",
      default: "UTC",
      example: "Europe/Berlin",
    }),
    overlap: field(word(["skip", "allow"]), {
      description: "Jobs: what happens while the last run goes on.",
      default: "skip",
    }),
    retry: field(flag, { description: "Jobs: repeat a run whose outcome is unknown.", default: "false" }),
  }),
  { expected: "a map with image", counterparts: serviceCounterparts, knownTo11: true },
);

export const service = withExtensions(fields);
export type DeclaredService = z.output<typeof service>;
