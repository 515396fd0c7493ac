import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { describePort, isClash, publishedBy } from "./published-port.ts";
import type { InstanceRecord, RouteSet } from "./supervisor/records.ts";

/** Throws `FAILED` `PORT_IN_USE` where another of these instances, of whatever stack, has a port of this route. */
export function requireFreePorts(instance: string, route: RouteSet, instances: readonly InstanceRecord[]): void {
  const others = instances.filter((each) => each.name !== instance);
  const taken = publishedBy(others).find((each) => route.listeners.some((listener) => isClash(each, listener)));
  if (taken === undefined) return;
  throw new CtrlPlaneError("FAILED", `port ${describePort(taken)} is published by ${taken.instance}`, {
    target: instance,
    hint: `Publish another port, or remove ${taken.instance} first.`,
    failure: { verdict: "PORT_IN_USE" },
  });
}
