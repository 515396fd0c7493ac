import { translateImage } from "./build.ts";
import { translateCommand } from "./command.ts";
import { Draft, type Surroundings } from "./draft.ts";
import { translateEnvFile, translateEnvironment } from "./environment.ts";
import type { Field } from "./field.ts";
import { translateMountedFiles } from "./files.ts";
import { durationOf, translateHealth } from "./health.ts";
import { leaveOut } from "./left-out.ts";
import { sayAlias, translateDependsOn, translateLinks } from "./needs.ts";
import { translateExpose, translatePorts } from "./ports.ts";
import { sayStarted, translateDeploy, translateScale } from "./scale.ts";
import { templateOf, valueNow } from "./variables.ts";
import { sayTmpfs, translateVolumes } from "./volumes.ts";

type Translate = (field: Field, draft: Draft) => void;

const translators: Readonly<Record<string, Translate>> = {
  command: translateCommand,
  entrypoint: translateCommand,
  ports: translatePorts,
  expose: translateExpose,
  healthcheck: translateHealth,
  depends_on: translateDependsOn,
  links: translateLinks,
  volumes: translateVolumes,
  tmpfs: sayTmpfs,
  configs: translateMountedFiles,
  secrets: translateMountedFiles,
  deploy: translateDeploy,
  scale: translateScale,
  cpus: translateScale,
  mem_limit: translateScale,
  gpus: translateScale,
  restart: translateRestart,
  stop_signal: translateStop,
  stop_grace_period: translateStop,
  networks: translateNetworks,
  container_name: sayName,
  hostname: sayName,
};

/** Of services that run once. */
const notForJobs = new Set(["ports", "expose", "healthcheck", "restart", "scale"]);

/** A service of compose as a service of pctl; undefined where nothing could be made that runs. */
export function translateService(service: Field, around: Surroundings): Draft | undefined {
  const name = String(service.key);
  const draft = new Draft(name, service.isMap ? service.entries().map(({ key }) => String(key)) : [], around);
  if (!service.isMap) {
    service.problem(`the service ${name} is a map`, "Write `image:` or `build:` below it.");
    return undefined;
  }
  const isJob = around.jobs.has(name);
  draft.begin("image");
  if (isJob) draft.set("kind", "job");
  if (!translateImage(service, draft)) return undefined;
  translateVariables(service, draft);
  for (const field of service.entries()) {
    const key = String(field.key);
    if (field.value === null || key === "environment" || key === "env_file") continue;
    draft.begin(key);
    if (isJob && notForJobs.has(key)) continue;
    (translators[key] ?? leaveOut)(field, draft);
  }
  settleNeeds(draft);
  return draft;
}

/** Before all else: a command may need what the environment has. */
function translateVariables(service: Field, draft: Draft): void {
  const [environment, files] = [service.get("environment"), service.get("env_file")];
  draft.begin("environment");
  if (environment !== undefined) translateEnvironment(environment, draft);
  draft.begin("env_file");
  if (files !== undefined) translateEnvFile(files, draft, environment);
}

/** A list where all are needed healthy. */
function settleNeeds(draft: Draft): void {
  const needs = draft.map("needs");
  const names = Object.keys(needs);
  if (names.length > 0 && names.every((name) => needs[name] === "healthy")) draft.set("needs", names);
}

function translateRestart(field: Field, draft: Draft): void {
  const template = templateOf(field);
  const policy = template === undefined ? "" : valueNow(template, draft.around.variables);
  // YAML reads a plain `no` as a text here, older tools as false.
  if (policy === "no" || policy === "false" || policy.startsWith("on-failure")) sayStarted(field, draft);
}

function translateStop(field: Field, draft: Draft): void {
  if (field.key === "stop_grace_period") {
    const grace = durationOf(field, draft);
    if (grace !== undefined) draft.merge("stop", { grace });
    return;
  }
  const template = templateOf(field);
  const signal = template === undefined ? undefined : valueNow(template, draft.around.variables).toUpperCase();
  if (signal === undefined) return;
  const name = signal.startsWith("SIG") ? signal : `SIG${signal}`;
  if (/^SIG[A-Z][A-Z0-9]*$/.test(name)) draft.merge("stop", { signal: name });
  else draft.leave(field, `the signal ${signal} has no name`, "Write its name, e.g. `stop: { signal: SIGINT }`.");
}

/** All services of a stack are in one network, each found by its name. */
function translateNetworks(field: Field, draft: Draft): void {
  if (field.isList) return;
  for (const network of field.entries()) {
    for (const alias of network.get("aliases")?.items() ?? [])
      if (alias.text !== undefined && alias.text !== draft.name) sayAlias(alias, alias.text, draft.name, draft);
    for (const key of ["ipv4_address", "ipv6_address", "link_local_ips", "mac_address"]) {
      const address = network.get(key);
      if (address !== undefined)
        draft.leave(address, "addresses are the engine's to give", `Others find it as ${draft.name}.`);
    }
  }
}

function sayName(field: Field, draft: Draft): void {
  const name = field.text;
  if (name === undefined || name === draft.name) return;
  draft.differs(
    field,
    `\`${String(field.key)}: ${name}\` is not taken over`,
    `Others in the stack find it as ${draft.name}; the container is {stack}-${draft.name}.`,
  );
}
