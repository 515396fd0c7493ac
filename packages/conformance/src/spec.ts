import type { Harness, Program } from "./harness.ts";
import { Refused } from "./refused.ts";
import type { ServiceSpec, StrategySpec } from "@ctrlplane/core/provider";

export const recreate: StrategySpec = {
  type: "recreate",
  declared: true,
  batch: { count: 1 },
  steps: [],
  pause: "manual",
  timeoutMs: 20_000,
  drainMs: 0,
  onFailure: "revert",
};
export const rolling: StrategySpec = { ...recreate, type: "rolling" };
export const blueGreen: StrategySpec = { ...recreate, type: "blue_green" };
export const canary: StrategySpec = { ...recreate, type: "canary", steps: [25] };

/** The plainest service that runs the program. */
export function specOf(harness: Harness, service: string, program: Program, hostPort: number): ServiceSpec {
  const running = harness.program(program, hostPort);
  if (running === undefined) throw new Refused(`the platform runs no program that is ${program.kind}`);
  return {
    service,
    kind: "service",
    env: {},
    secretEnv: [],
    files: [],
    scale: { replicas: 1 },
    ports: [],
    domains: [],
    volumes: [],
    needs: {},
    strategy: recreate,
    stop: { signal: "SIGTERM", graceMs: 2_000 },
    protect: false,
    keep: 10,
    accept: [],
    ...running,
  };
}

export const serves = (
  version: string,
  more: { readonly readyMs?: number; readonly diesMs?: number } = {},
): Program => ({
  kind: "serves",
  version,
  ...more,
});
export const ends = (version: string, exitCode: number, afterMs = 0): Program => ({
  kind: "ends",
  version,
  exitCode,
  afterMs,
});
