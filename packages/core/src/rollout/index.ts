export * from "./journal.ts";
export * from "./replica-driver.ts";
export * from "./revision-driver.ts";
export * from "./describe-instance.ts";
export * from "./job.ts";
export * from "./machine-revision-driver.ts";
export * from "./roll-out.ts";
export { isScheduled } from "./scheduled-job.ts";
export { settledRelease, type RolloutRequest } from "./rollout.ts";
