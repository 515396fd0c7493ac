import { instanceLabels, label, settledRelease } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Release, SettledRelease } from "@ctrlplane/core/provider";
import { isReplica, nameOf } from "./containers.ts";
import type { ContainerSummary } from "./engine-types.ts";
import { emptyRecord, type FoundInstance, type InstanceRecord } from "./instance-record.ts";
import { dockerLabel } from "./labels.ts";
import { isRetired } from "./names.ts";
import { volumesOf } from "./volumes.ts";

/** What the record of an instance says once this release is settled, without who is routed: label `pctl-serves` of its replicas. */
export function servesLabel(release: Release, deployment: string): string {
  const { instance, spec } = release;
  const { replicas } = spec.scale;
  const record: InstanceRecord = {
    v: 1,
    service: instance.service,
    settled: settledRelease(release, { deployment, replicas }),
    stopped: false,
    ports: spec.ports,
    volumes: volumesOf(instance, spec),
    ...(typeof replicas === "number" ? {} : { range: replicas }),
  };
  return JSON.stringify(record);
}

interface Serving {
  readonly container: ContainerSummary;
  readonly record: InstanceRecord;
  readonly settled: SettledRelease;
}

/**
 * An instance without a record, told from the labels of its containers. Undefined where no container tells. Of several revisions
 * the oldest that runs counts: a newer one may have been on its way. `lineage`: containers of this one are looked at first.
 *
 * The record of a first deployment is written once it serves, so either that did not come to its end, or the record was removed:
 * `docker volume prune` takes all empty volumes, and with it goes the whole ledger. `ages`: of the ledgers here (`ledgerAges`); a
 * container that is younger than the ledger of its stack has lost no record.
 */
export function rebuiltRecord(
  name: string,
  containers: readonly ContainerSummary[],
  { lineage, ages }: { readonly lineage?: string | undefined; readonly ages?: ReadonlyMap<string, number> } = {},
): FoundInstance | undefined {
  const labelled = containers.filter((each) => each.Labels?.[label.service] === name);
  const own = labelled.filter((each) => each.Labels?.[label.lineage] === lineage);
  const told = (own.length > 0 ? own : labelled).flatMap(servingOf);
  const running = told.filter((each) => each.container.State === "running");
  const byNumber = (running.length > 0 ? running : told).toSorted((a, b) => a.settled.number - b.settled.number);
  const chosen = running.length > 0 ? byNumber[0] : byNumber.at(-1);
  if (chosen === undefined) return undefined;
  const stack = chosen.container.Labels?.[label.stack] ?? "";
  const found = { name, stack, labels: ownLabels(chosen.container) };
  const isYounger = chosen.container.Created * 1000 >= (ages?.get(stack) ?? Infinity);
  if (isYounger) return { ...found, record: emptyRecord(chosen.record) };
  const same = told.filter(
    ({ settled }) =>
      settled.replicaHash === chosen.settled.replicaHash && settled.generation === chosen.settled.generation,
  );
  // A release that only scaled or routed anew left the older containers as they were.
  const newest = same.reduce((best, each) => (each.settled.number > best.settled.number ? each : best));
  const serving = same.filter((each) => each.container.State === "running");
  const targets = Object.fromEntries(serving.map((each) => [each.container.Id, 100 / serving.length]));
  return {
    ...found,
    record: {
      ...newest.record,
      settled: withEnd(newest),
      ...(serving.length === 0 || isJob(newest.container) ? {} : { targets }),
    },
  };
}

function servingOf(container: ContainerSummary): Serving[] {
  const text = container.Labels?.[dockerLabel.serves];
  // Only what ran for a job still tells, once it is put aside.
  const isLeft = isRetired(nameOf(container)) && !isJob(container);
  if (text === undefined || isLeft || !isReplica(container)) return [];
  // Ours wrote it.
  const record = JSON.parse(text) as InstanceRecord;
  return record.settled === undefined ? [] : [{ container, record, settled: record.settled }];
}

/** A job that ended with 0 is done, and must not run again. When it ended is not known to the list of containers: when it was made is. */
function withEnd({ container, settled }: Serving): SettledRelease {
  if (!isJob(container) || !container.Status.startsWith("Exited (0)")) return settled;
  return { ...settled, completedAt: new Date(container.Created * 1000).toISOString() };
}

function isJob({ Labels }: ContainerSummary): boolean {
  return Labels?.[dockerLabel.kind] === "job";
}

function ownLabels({ Labels }: ContainerSummary): FoundInstance["labels"] {
  const keys = Object.keys(instanceLabels({ stack: "", name: "", lineage: "", tenant: "" }));
  return Object.fromEntries(keys.flatMap((key) => (Labels?.[key] === undefined ? [] : [[key, Labels[key]]])));
}

/** Whose containers are meant where a name has several. */
export type Whose = Pick<InstanceIdentity, "name"> & Partial<Pick<InstanceIdentity, "lineage">>;
