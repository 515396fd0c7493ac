/** `@ctrlplane/conformance`: what every provider must do, as a suite that any provider can run. */
export { conformance, type ConformanceOptions, type Runner } from "./conformance.ts";
export { startRun, type Run, type RunOptions } from "./run.ts";
export { tableOf } from "./table.ts";
export { behaviours } from "./behaviours/index.ts";
export { Refused } from "./refused.ts";
export type { Behaviour } from "./behaviour.ts";
export type { Bench } from "./bench.ts";
export type { Answer, Commands, Harness, Program, SeenInstance, SeenReplica } from "./harness.ts";
export type { BehaviourReport, Deviation, Deviations, Outcome, Report } from "./report.ts";
