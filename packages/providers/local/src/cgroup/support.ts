import { findHierarchies, type CgroupTexts } from "./hierarchies.ts";

/** Which limits can be kept here, and, where one is missing, why. */
export interface CgroupSupport {
  readonly cpu: boolean;
  readonly memory: boolean;
  readonly reason?: string;
}

/** What the control groups of this process allow. Reads only. */
export function cgroupSupport(texts?: CgroupTexts): CgroupSupport {
  const hierarchies = findHierarchies(texts);
  const has = (controller: "cpu" | "memory"): boolean =>
    hierarchies.some((each) => each.controllers.includes(controller));
  const found = { cpu: has("cpu"), memory: has("memory") };
  if (found.cpu && found.memory) return found;
  const missing = [found.cpu ? [] : ["cpu"], found.memory ? [] : ["memory"]].flat().join(" and ");
  return { ...found, reason: `no control group for ${missing} that this user may write to` };
}
