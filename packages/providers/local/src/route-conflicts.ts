import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { overlaps } from "./port-holders.ts";
import { readInstance, readInstances } from "./supervisor/read.ts";
import type { RouteListener, RouteSet } from "./supervisor/records.ts";

/** Throws `FAILED` `PORT_IN_USE` where another instance of the data folder, of whatever stack, has a port of this route. */
export function requireFreePorts(dir: string, instance: string, route: RouteSet): void {
  const current = readInstance(dir, instance)?.route?.listeners ?? [];
  const added = route.listeners.filter((each) => !current.some((old) => isSamePort(old, each)));
  if (added.length === 0) return;
  for (const other of readInstances(dir)) {
    if (other.name === instance) continue;
    const clash = added.find((each) => other.route?.listeners.some((taken) => isSamePort(taken, each)));
    if (clash !== undefined) throw inUse(clash, instance, other.name);
  }
}

function isSamePort(one: RouteListener, other: RouteListener): boolean {
  return (
    one.port === other.port &&
    (one.protocol === "udp") === (other.protocol === "udp") &&
    overlaps(one.address, other.address)
  );
}

function inUse({ address, port }: RouteListener, instance: string, other: string): CtrlPlaneError {
  const at = address === "*" ? String(port) : `${address}:${port}`;
  return new CtrlPlaneError("FAILED", `port ${at} is published by ${other}`, {
    target: instance,
    hint: `Publish another port, or remove ${other} first.`,
    failure: { verdict: "PORT_IN_USE" },
  });
}
