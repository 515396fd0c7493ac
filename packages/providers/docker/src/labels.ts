import { instanceLabels, label, managedBy } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels } from "@ctrlplane/core/provider";

/** Labels that only this provider writes, besides those of every platform (`label`). */
export const dockerLabel = {
  /** TypeID of the deployment that made a container. */
  deployment: "pctl-deployment",
  /** Number of the release that a container was made for. */
  release: "pctl-release",
  /** What a replica's container was made with (`made.ts`). */
  made: "pctl-made",
  /** What the instance serves where this replica serves (`rebuild-record.ts`). */
  serves: "pctl-serves",
  /** `job` on the replicas of jobs. */
  kind: "pctl-kind",
  /** Of a volume that holds a record: the record's name. */
  record: "pctl-record",
  /** The record's text, deflated, in base64. */
  value: "pctl-value",
  /** Of whoever made the volume: made anew for each attempt. */
  nonce: "pctl-nonce",
  /** `{name}={folder}`: a record lies below this folder; one label for each folder above it. */
  below: "pctl-below",
  /** Of a volume that one replica has alone: the instance's name. */
  owner: "pctl-owner",
} as const;

/** What a thing of ours is for, where it is neither a replica nor a volume of the user's: label `pctl-role`. */
export type Role = "ledger" | "instance" | "adopted" | "gateway" | "run" | "images";

/** Labels of something that belongs to a stack and to none of its services, e.g. its network. */
export function stackLabels({ stack, lineage }: Pick<InstanceIdentity, "stack" | "lineage">): Labels {
  return { [label.managedBy]: managedBy, [label.stack]: stack, [label.lineage]: lineage };
}

export function roleLabels(instance: InstanceIdentity, role: Role): Labels {
  return { ...instanceLabels(instance), [label.role]: role };
}

/** The engine's filter for things that have all these labels. */
export function labelled(...labels: readonly (string | readonly [string, string])[]): { readonly label: string[] } {
  return { label: labels.map((each) => (typeof each === "string" ? each : `${each[0]}=${each[1]}`)) };
}
