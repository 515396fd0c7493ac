import type { LocalFacts } from "./facts.ts";

/** Which limits can be set for replicas on this machine. */
export function possibleLimits(): LocalFacts["limits"] {
  return { cpu: false, memory: false, reason: "control groups are not available to this user" };
}
