import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ExecRequest, ExecSession, ProviderContext, Replica } from "@ctrlplane/core/provider";
import { openSession } from "./command-session.ts";
import { mapError } from "./errors.ts";
import { layout, replicaFiles } from "./layout.ts";
import { inheritedEnvironment } from "./process/environment.ts";
import { folderSealer, loadEnvironment } from "./supervisor/environment-store.ts";
import { readReplica } from "./supervisor/read.ts";
import type { ReplicaPort } from "./supervisor/records.ts";
import { join } from "node:path";

export interface ExecParts {
  readonly dir: string;
  /** Environment of this process; of it the documented names are inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command beside a replica: its working folder, its environment, its ports in `PORT`; a child of this process. */
export function execInReplica(
  { dir, env }: ExecParts,
  replica: Pick<Replica, "id" | "name">,
  request: ExecRequest,
  context: ProviderContext,
): ExecSession {
  const folder = join(layout(dir).replicas, replica.id);
  const found = readReplica(folder);
  if (found === undefined)
    throw new CtrlPlaneError("NOT_FOUND", `the replica ${replica.name} is gone`, {
      target: replica.name,
      hint: "Run the same command again.",
    });
  try {
    const own = loadEnvironment(replicaFiles(folder), replica.id, folderSealer(dir));
    return openSession({
      command: request.command,
      cwd: found.record.cwd,
      env: { ...inheritedEnvironment(env), ...own, ...portVariables(found.record.ports) },
      terminal: request.terminal,
      signal: context.signal,
    });
  } catch (error) {
    throw mapError(error, replica.name);
  }
}

export function portVariables(ports: readonly Pick<ReplicaPort, "env" | "port">[]): Readonly<Record<string, string>> {
  return Object.fromEntries(ports.map(({ env, port }) => [env, String(port)]));
}
