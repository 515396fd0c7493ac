import { label, type Labels } from "@ctrlplane/core/provider";
import type { EngineClient, EngineRequest } from "@ctrlplane/images";
import { labelled } from "./labels.ts";

export interface VolumeAnswer {
  readonly Name: string;
  readonly Labels: Labels | null;
  /** ISO 8601, whole seconds. */
  readonly CreatedAt?: string;
}

/** The answer to `GET /volumes`. */
export interface VolumeList {
  readonly Volumes: readonly VolumeAnswer[] | null;
}

/** Every volume with all of these labels: each a name, or a name and its value. */
export async function findVolumes(
  engine: EngineClient,
  labels: readonly (string | readonly [string, string])[],
  signal: AbortSignal,
): Promise<readonly VolumeAnswer[]> {
  const query = { filters: labelled(...labels) };
  const { Volumes } = await engine.json<VolumeList>({ method: "GET", path: "/volumes", query, signal });
  return Volumes ?? [];
}

/** What `findVolumes` asks for, as the engine writes it (`name`, `name=value`); undefined for any other request. */
export function labelsWanted({ path, query }: EngineRequest): readonly string[] | undefined {
  if (path !== "/volumes") return undefined;
  const { filters } = query ?? {};
  // As `labelled` makes it.
  return typeof filters === "object" && "label" in filters ? (filters.label as readonly string[]) : undefined;
}

/** Whether what has all labels of the `narrow` request is also in the answer to the `wide` one. */
export function isWithin(narrow: readonly string[], wide: readonly string[]): boolean {
  return wide.every((each) => narrow.some((one) => implies(one, each)));
}

/** Whatever has a label of ours is marked as managed by us. */
function implies(one: string, other: string): boolean {
  if (one === other || one.startsWith(`${other}=`)) return true;
  return other === label.managedBy && one.startsWith("pctl-");
}

/** Those of a wider list that have all of these labels. */
export function withLabels({ Volumes }: VolumeList, wanted: readonly string[]): VolumeList {
  return { Volumes: (Volumes ?? []).filter(({ Labels }) => wanted.every((each) => has(Labels ?? {}, each))) };
}

function has(labels: Labels, wanted: string): boolean {
  const at = wanted.indexOf("=");
  return at === -1 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1);
}
