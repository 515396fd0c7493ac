import type { PortSpec } from "../model/resources.ts";
import type { StrategyName, StrategySpec } from "../model/spec.ts";
import type { DeclaredService } from "./schema/service.ts";

/** Rolling where a service has ports, none of them UDP, and no volume; otherwise recreate. */
export function defaultStrategy(ports: readonly PortSpec[], volumes: number): StrategyName {
  return ports.length > 0 && volumes === 0 && ports.every((each) => each.protocol !== "udp") ? "rolling" : "recreate";
}

export function readStrategy(
  declared: DeclaredService["strategy"],
  ports: readonly PortSpec[],
  volumes: number,
): StrategySpec {
  const given = typeof declared === "string" ? { type: declared } : (declared ?? {});
  const { type, batch = { percent: 25 }, timeout = 120_000, drain = 30_000, onfailure = "revert" } = given;
  const {
    steps = type === "canary" ? [5, 25] : [],
    // Of rolling and recreate it says nothing; it stays as it was, since it is part of the hash.
    pause = type === "blue_green" ? 0 : "manual",
  } = given;
  return {
    type: type ?? defaultStrategy(ports, volumes),
    declared: type !== undefined,
    batch,
    steps,
    pause: typeof pause === "number" ? { ms: pause } : pause,
    timeoutMs: timeout,
    drainMs: drain,
    onFailure: onfailure,
  };
}
