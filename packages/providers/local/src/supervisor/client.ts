import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { SupervisorClient, SupervisorClientOptions } from "./operations.ts";

export * from "./operations.ts";
export * from "./records.ts";

/** Talks to the supervisor of a data folder, and starts it where it is needed and allowed. */
export function supervisorClient(options: SupervisorClientOptions): SupervisorClient {
  throw new CtrlPlaneError("UNSUPPORTED", `not there yet: ${options.dir}`);
}
