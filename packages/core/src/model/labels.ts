/** Keys of the labels on every resource that we create; the first three are pctl 1.1's. Portable: lower case, no slash. */
export const label = {
  managedBy: "managed-by",
  stack: "pctl-stack",
  service: "pctl-service",
  lineage: "pctl-lineage",
  replicaHash: "pctl-replica-hash",
  generation: "pctl-generation",
  ordinal: "pctl-ordinal",
  specHash: "pctl-spec-hash",
  tenant: "pctl-tenant",
  role: "pctl-role",
} as const;

export const managedBy = "pctl";

export type Labels = Readonly<Record<string, string>>;

/** The labels of an instance's resources; a replica adds its own (`replicaLabels`). */
export function instanceLabels(identity: { stack: string; name: string; lineage: string; tenant?: string }): Labels {
  return {
    [label.managedBy]: managedBy,
    [label.stack]: identity.stack,
    [label.service]: identity.name,
    [label.lineage]: identity.lineage,
    ...(identity.tenant === undefined ? {} : { [label.tenant]: identity.tenant }),
  };
}

export function replicaLabels(
  identity: Parameters<typeof instanceLabels>[0],
  replica: { replicaHash: string; generation: number; ordinal: number },
): Labels {
  return {
    ...instanceLabels(identity),
    [label.replicaHash]: replica.replicaHash,
    [label.generation]: String(replica.generation),
    [label.ordinal]: String(replica.ordinal),
  };
}
