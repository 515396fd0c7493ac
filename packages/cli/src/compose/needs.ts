import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";

/** Names of services that others wait for to end. */
export function jobsOf(services: readonly Field[]): Set<string> {
  const jobs = new Set<string>();
  for (const service of services) {
    const needs = service.get("depends_on");
    for (const each of needs?.isMap === true ? needs.entries() : [])
      if (each.get("condition")?.value === "service_completed_successfully") jobs.add(String(each.key));
    const mode = service.get("deploy")?.get("mode")?.value;
    if (mode === "replicated-job" || mode === "global-job") jobs.add(String(service.key));
  }
  return jobs;
}

const conditions = ["service_started", "service_healthy", "service_completed_successfully"];

export function translateDependsOn(field: Field, draft: Draft): void {
  const entries = field.isList ? field.items() : field.entries();
  for (const each of entries) {
    const name = field.isList ? each.text : String(each.key);
    if (name === undefined) continue;
    const condition = each.get("condition");
    if (condition !== undefined && !conditions.includes(String(condition.value)))
      condition.problem(`${JSON.stringify(condition.value)} is no condition`, `It is one of ${conditions.join(", ")}.`);
    else addNeed(each, name, draft);
  }
}

/** `links: [db, "db:database"]`. */
export function translateLinks(field: Field, draft: Draft): void {
  for (const item of field.items()) {
    const [name = "", alias] = item.text?.split(":") ?? [];
    if (name === "") continue;
    addNeed(item, name, draft);
    if (alias !== undefined && alias !== name) sayAlias(item, alias, name, draft);
  }
}

export function sayAlias(field: Field, alias: string, service: string, draft: Draft): void {
  draft.leave(field, `nobody is found as ${alias}`, `Its name is ${service}; write that where ${alias} stands.`);
}

function addNeed(at: Field, name: string, draft: Draft): void {
  const { services, jobs, root } = draft.around;
  if (services.has(name)) return draft.merge("needs", { [name]: jobs.has(name) ? "completed" : "healthy" });
  const isDeclared = root.get("services")?.get(name) !== undefined;
  if (isDeclared) return draft.leave(at, `${name} is not part of this file`, "Once it is, add it to `needs`.");
  if (at.get("required")?.value === false) return;
  at.problem(`there is no service ${name}`, "Remove it, or add the service.");
}
