import { CtrlPlaneError } from "../errors/error.ts";
import type { KnownInstance } from "../plan/input.ts";
import { adoptionOf } from "../plan/legacy.ts";
import type { Survey } from "./survey.ts";

/** Throws `CONFLICT` where pctl 1.1 made it, and no state file says that it is of this stack. */
export function refuseUnnamed(known: KnownInstance, { lineage }: Pick<Survey, "lineage">): void {
  const { observed, instance } = known;
  if (observed?.isLegacy !== true || adoptionOf(known, { adopt: false, lineage }) !== undefined) return;
  const what = `${instance.name} on ${instance.provider} was made by pctl 1.1, and no state file says that it is of this stack`;
  throw new CtrlPlaneError("CONFLICT", what, {
    target: instance.name,
    hint: `pctl deploy ${instance.service} --adopt takes it over.`,
  });
}

/** What pctl 1.1 made has no release, which a command needs. `next`: what to do then, or instead. */
export function withoutRelease(service: string, command: string, next: string): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `${service} was deployed by pctl 1.1, and has no release yet to ${command}`, {
    target: service,
    hint: `pctl deploy ${service} --adopt makes one, with new containers and the same data; ${next}.`,
  });
}
