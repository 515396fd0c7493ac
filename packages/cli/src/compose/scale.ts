import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import { templateOf, valueNow } from "./variables.ts";

/** `scale`, `cpus`, `mem_limit`, `gpus` of a service. */
export function translateScale(field: Field, draft: Draft): void {
  const key = String(field.key);
  if (key === "scale") setReplicas(field, draft);
  else if (key === "cpus") setCpu(field, draft);
  else if (key === "mem_limit") setMemory(field, draft);
  else setGpus(field, draft);
}

/** `deploy`: what compose has for a swarm, and in part for itself. */
export function translateDeploy(field: Field, draft: Draft): void {
  for (const each of field.entries()) {
    const key = String(each.key);
    if (each.value === null || key === "endpoint_mode" || key === "rollback_config") continue;
    if (key === "replicas") setReplicas(each, draft);
    else if (key === "resources") setResources(each, draft);
    else if (key === "update_config") setStrategy(each, draft);
    else if (key === "mode") sayMode(each, draft);
    else if (key === "restart_policy") sayRestart(each, draft);
    else if (key === "placement")
      draft.leave(
        each,
        "`deploy.placement` chooses among hosts",
        "Name one host for each provider, and the provider in the service.",
      );
    else if (key === "labels") draft.leave(each, "labels are pctl's own", "What reads them has to be told otherwise.");
    else each.problem(`compose has no \`deploy.${key}\``, "Remove it.");
  }
}

function setReplicas(field: Field, draft: Draft): void {
  const number = numberOf(field, draft);
  if (number === undefined || !Number.isInteger(number) || number < 0)
    return field.problem(`${JSON.stringify(field.value)} is no number of replicas`, "Write 0, 1, 2 …");
  if (number !== 1 && !draft.around.jobs.has(draft.name)) draft.merge("scale", { replica: number });
}

function setResources(resources: Field, draft: Draft): void {
  const [limits, reservations] = [resources.get("limits"), resources.get("reservations")];
  for (const each of limits?.entries() ?? []) {
    if (each.key === "cpus") setCpu(each, draft);
    else if (each.key === "memory") setMemory(each, draft);
    else if (each.key === "pids") draft.leave(each, "`pids` is no limit here", "Limit memory and processor time.");
    else each.problem(`compose has no limit \`${each.key}\``, "It knows cpus, memory and pids.");
  }
  for (const each of reservations?.entries() ?? []) {
    if (each.key === "devices") setGpus(each, draft);
    else if (each.key !== "generic_resources" && limits?.get(String(each.key)) === undefined)
      draft.leave(
        each,
        `\`reservations.${each.key}\` reserves nothing on one host`,
        `A limit is \`scale: { ${each.key === "cpus" ? "cpu" : "memory"} }\`.`,
      );
  }
}

function setCpu(field: Field, draft: Draft): void {
  const number = numberOf(field, draft);
  if (number === undefined || !(number >= 0))
    return field.problem(`${JSON.stringify(field.value)} is no number of cores`, "Write 0.5.");
  // 0 means no limit.
  if (number > 0)
    draft.merge("scale", { cpu: Number.isInteger(number) ? number : `${Math.max(1, Math.round(number * 1000))}m` });
}

function setMemory(field: Field, draft: Draft): void {
  const template = templateOf(field);
  if (template === undefined) return;
  const text = valueNow(template, draft.around.variables);
  const bytes = bytesOf(text);
  if (bytes === undefined)
    return field.problem(`${JSON.stringify(field.value)} is no amount of memory`, "Write 512m or 1g.");
  if (bytes === 0) return;
  const mebibytes = Math.max(1, Math.floor(bytes / 2 ** 20));
  draft.merge("scale", { memory: mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi` });
}

const units: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Compose's units are all powers of two. */
function bytesOf(text: string): number | undefined {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)$/i.exec(text.trim()) ?? [];
  const factor = units[unit.toLowerCase().replace(/i?b$/, "")];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}

/** `gpus: all`, or a list of devices. */
function setGpus(field: Field, draft: Draft): void {
  const devices = field.isList ? field.items() : [field];
  for (const each of devices) {
    const capabilities = each
      .get("capabilities")
      ?.items()
      .map((item) => item.value) ?? ["gpu"];
    if (!capabilities.includes("gpu")) {
      draft.leave(each, "a device that is no GPU is not passed through", "Keep what needs it with compose.");
      continue;
    }
    const ids = each.get("device_ids")?.items();
    const count = each.isMap ? (each.get("count")?.value ?? (ids === undefined ? "all" : ids.length)) : each.value;
    draft.merge("scale", { gpu: { count: typeof count === "number" ? count : 1 } });
    if (typeof count !== "number")
      draft.differs(each, "`all` GPUs are a number here, 1", "Write how many: `scale: { gpu: { count: 2 } }`.");
    if (ids !== undefined)
      draft.leave(each, "`device_ids` chooses no GPU here", "The engine gives as many as `count` says.");
  }
}

function setStrategy(update: Field, draft: Draft): void {
  if (draft.around.jobs.has(draft.name)) return;
  const order = update.get("order")?.value;
  const action = update.get("failure_action")?.value;
  const parallelism = update.get("parallelism");
  const batch = parallelism === undefined ? undefined : numberOf(parallelism, draft);
  const strategy = {
    ...(order === "start-first" ? { type: "rolling" } : {}),
    ...(batch === undefined ? {} : { batch: batch === 0 ? "100%" : batch }),
    ...(action === "pause" ? { onfailure: "hold" } : {}),
  };
  if (Object.keys(strategy).length > 0) draft.set("strategy", strategy);
  if (order === "stop-first")
    draft.differs(
      update,
      "a new replica starts before its predecessor is stopped",
      "`strategy: recreate` stops the old ones first.",
    );
}

function sayMode(mode: Field, draft: Draft): void {
  if (mode.value === "global" || mode.value === "global-job")
    draft.leave(mode, "`mode: global` runs one on each host", "Write `provider: [a, b]` with all hosts.");
}

function sayRestart(policy: Field, draft: Draft): void {
  const condition = policy.get("condition")?.value;
  if (condition === "none" || condition === "on-failure") sayStarted(policy, draft);
}

/** Of `restart`, too. */
export function sayStarted(field: Field, draft: Draft): void {
  if (draft.around.jobs.has(draft.name)) return;
  draft.differs(
    field,
    "a service that ends is always started again",
    "What is to run once is `kind: job`, or `pctl run`.",
  );
}

function numberOf(field: Field, draft: Draft): number | undefined {
  const template = templateOf(field);
  if (template === undefined) return undefined;
  const text = valueNow(template, draft.around.variables);
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}
