/** `@ctrlplane/core`: the contract, the registry and the engine. Providers import `@ctrlplane/core/provider` instead. */
export * from "./config/index.ts";
export * from "./control-plane.ts";
export * from "./deployments.ts";
export * from "./instances.ts";
export { createControlPlane } from "./create-control-plane.ts";
export { describeBytes, describeReplicas } from "./plan/describe.ts";
export * from "./provider/guard.ts";
export * from "./provider/index.ts";
export * from "./provider/registry.ts";
export * from "./state/index.ts";
