import type { Release, Revision } from "@ctrlplane/core/provider";
import type { ReplicaPolicy } from "./supervisor/records.ts";

/** The argument list of a replica. `single` is the file that the image consists of: it is its own command. */
export function argumentsOf(
  { entrypoint = [], command }: Pick<Revision, "entrypoint" | "command">,
  single?: string,
): readonly string[] {
  if (command === undefined) return single === undefined ? entrypoint : [...entrypoint, `./${single}`];
  return "args" in command ? [...entrypoint, ...command.args] : [...entrypoint, "/bin/sh", "-c", command.shell];
}

/** Container ports, first the one that `PORT` stands for: which `env.PORT` names, else the first that was declared. */
export function portsOf({ ports, env }: Pick<Revision, "ports" | "env">): Revision["ports"] {
  const unique = ports.filter(
    ({ containerPort }, index) => ports.findIndex((each) => each.containerPort === containerPort) === index,
  );
  const named = unique.find((each) => String(each.containerPort) === env["PORT"]);
  return named === undefined ? unique : [named, ...unique.filter((each) => each !== named)];
}

/** The declared environment without the variables that tell a replica its ports: those are the supervisor's. */
export function environmentOf({ ports, env }: Pick<Revision, "ports" | "env">): Readonly<Record<string, string>> {
  const ours = new Set(ports.length === 0 ? [] : ["PORT", ...ports.map((each) => `PORT_${each.containerPort}`)]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.has(name)));
}

/** A folder has no signal of its own. */
export const defaultStop = { signal: "SIGTERM" } as const;

/** How replicas of a release are probed, stopped and started again. */
export function policyOf({ spec }: Release): ReplicaPolicy {
  const staysDown = spec.kind === "job" || spec.health?.onFailure.action === "stop";
  return {
    ...(spec.health === undefined ? {} : { health: spec.health }),
    stop: { ...defaultStop, ...spec.stop },
    restart: staysDown ? "never" : "always",
  };
}
