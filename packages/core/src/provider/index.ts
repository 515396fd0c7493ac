/** `@ctrlplane/core/provider`: all that a provider needs, and nothing of the engine. */
export * from "../errors/index.ts";
export * from "../model/index.ts";
export * from "../rollout/index.ts";
export * from "./capability.ts";
export * from "./context.ts";
export * from "./ledger.ts";
export * from "./provider.ts";
export * from "./requests.ts";
export * from "./machine-provider.ts";
export * from "./define-provider.ts";
export * from "../state/file-ledger.ts";
export * from "../state/hash-cache.ts";
export * from "../state/ledger-limits.ts";
export * from "../state/sealing.ts";
