/** `@ctrlplane/provider-local`: supervised processes on this machine. */
import type { ProviderFactory } from "@ctrlplane/core/provider";
import { checkOptions } from "./options.ts";
import { createLocalProvider } from "./provider.ts";

/** Type `local`. One option: `dir`, the folder for its data; each folder is a platform of its own. */
export const provider: ProviderFactory = {
  type: "local",
  checkOptions,
  create: createLocalProvider,
};

export { localMachine } from "./machine.ts";
export type {
  LocalMachine,
  LocalMachineGateway,
  LocalMachineOptions,
  LocalMachineReplica,
  LocalMachineStatus,
} from "./machine.ts";
