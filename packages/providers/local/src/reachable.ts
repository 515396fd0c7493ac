import type { ObservedInstance } from "@ctrlplane/core/provider";
import { runningGateway } from "./gateway/start.ts";
import { readInstance } from "./supervisor/read.ts";

/**
 * Corrects what replicas say of an instance: one with ports serves nobody while no gateway runs. That is so where
 * supervisor and gateway were both killed; otherwise the gateway is back at once.
 */
export function onlyIfReachable<Seen extends ObservedInstance>(dir: string, seen: readonly Seen[]): readonly Seen[] {
  if (seen.every((each) => each.state !== "serving") || runningGateway(dir) !== undefined) return seen;
  return seen.map((each) => {
    const listeners = readInstance(dir, each.name)?.route?.listeners ?? [];
    if (each.state !== "serving" || listeners.length === 0) return each;
    return { ...each, state: "down", fields: { ...each.fields, ports: [] } };
  });
}
