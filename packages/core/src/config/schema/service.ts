import { serviceCounterparts } from "./counterparts.ts";
import { fields } from "./fields.ts";
import { port } from "./ports.ts";
import { either, flag, integer, list, map, text, word } from "./shape.ts";
import type { Read } from "./shape.ts";

import {
  withoutJson,
  commandWords,
  commandText,
  envKey,
  envValue,
  scale,
  health,
  volume,
  noVolumeText,
  registryFields,
  build,
  domainName,
  domainFields,
  tlsFields,
  needCondition,
  stop,
  strategyWord,
  strategyFields,
  providerFields,
  noProviderList,
  secretEntry,
  noEnvList,
} from "./service-parts.ts";
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

export type DeclaredService = Read<typeof service>;
