/** `@ctrlplane/provider-reference`: a simulated platform in a process of its own, with switchable faults, for tests of the engine. */
import type { ProviderFactory } from "@ctrlplane/core/provider";
import { checkOptions, parseOptions } from "./options.ts";
import { createReferenceProvider } from "./provider.ts";

export const provider: ProviderFactory = {
  type: "reference",
  checkOptions,
  create: (options, { folder }) => createReferenceProvider(parseOptions(options, folder)),
};

export { createReferenceProvider } from "./provider.ts";
export { startReferencePlatform, type RunningPlatform } from "./start-platform.ts";
export { servePlatform, type ServedPlatform } from "./serve-platform.ts";
export type { AroundCall } from "./client.ts";
export type { Harness } from "./harness.ts";
export type { Fault, InstanceRecord, PlatformState, ReplicaRecord, WriteRecord } from "./protocol.ts";
