import { CtrlPlaneError, instanceLabels, label, managedBy, type InstanceIdentity } from "@ctrlplane/core/provider";
import type { InstanceRecord, InstanceView, ListArgs, ReplicaRecord, RouteRecord, SettleArgs } from "../protocol.ts";
import { phaseOf } from "./behaviour.ts";
import { remainsOf, removeVolumes } from "./volumes.ts";
import { ownInstance, replicasOf, viewReplica, type Platform } from "./platform.ts";

interface OfInstance {
  readonly instance: InstanceIdentity;
}

export function ensureInstance(platform: Platform, identity: InstanceIdentity): InstanceRecord {
  const record = ownInstance(platform, identity) ?? {
    name: identity.name,
    stack: identity.stack,
    service: identity.service,
    labels: {},
    stopped: false,
    volumes: [],
  };
  record.labels = { ...record.labels, ...instanceLabels(identity) };
  platform.state.instances[identity.name] = record;
  return record;
}

/** Undefined where nothing of it exists, and where what exists belongs to another. */
export function viewInstance(platform: Platform, { instance }: OfInstance): InstanceView | undefined {
  const record = platform.state.instances[instance.name];
  if (record === undefined || record.labels[label.lineage] !== instance.lineage) return undefined;
  return view(platform, record, replicasOf(platform, record.name));
}

function view(platform: Platform, record: InstanceRecord, replicas: readonly ReplicaRecord[]): InstanceView {
  const image = replicas.find((each) => each.replicaHash === record.settled?.replicaHash)?.digest;
  return {
    record,
    replicas: replicas.map((each) => viewReplica(platform, each)),
    ...(image === undefined ? {} : { image }),
  };
}

/** A page in the order of names; those that carry no label of ours only when they are asked for by name. */
export function listInstances(platform: Platform, { stack, names, cursor, limit }: ListArgs) {
  const named = new Set(names);
  const wanted = Object.values(platform.state.instances)
    .filter(({ name }) => cursor === undefined || name > cursor)
    .filter(
      ({ labels, name }) =>
        (labels[label.managedBy] === managedBy && (stack === undefined || labels[label.stack] === stack)) ||
        named.has(name),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const page = wanted.slice(0, limit);
  const last = wanted.length > limit ? page.at(-1)?.name : undefined;
  const instances = page.map((record) => view(platform, record, replicasOf(platform, record.name)));
  const remains = cursor === undefined ? remainsOf(platform.state, stack) : [];
  return { instances, remains, ...(last === undefined ? {} : { cursor: last }) };
}

export function provision(
  platform: Platform,
  args: OfInstance & { readonly volumes: readonly string[]; readonly external: readonly string[] },
) {
  for (const name of args.external) {
    if (platform.state.volumes[name] === undefined) {
      throw new CtrlPlaneError("NOT_FOUND", `there is no volume ${name}`, {
        target: name,
        hint: "create it, or drop external",
      });
    }
  }
  const record = ensureInstance(platform, args.instance);
  for (const name of args.volumes) useVolume(platform, name, args.instance.name);
  return { volumes: record.volumes };
}

export function useVolume({ state }: Platform, name: string, instance: string): void {
  const record = state.instances[instance];
  const labels = { ...record?.labels };
  const volume = (state.volumes[name] ??= { name, isOurs: true, labels, users: [], text: "" });
  if (!volume.users.includes(instance)) volume.users.push(instance);
  if (record !== undefined && !record.volumes.includes(name)) record.volumes.push(name);
}

/** Replicas have to be gone before: what runs is never removed here. */
export function deprovision(platform: Platform, args: OfInstance & { readonly volumes: boolean }): void {
  const { state } = platform;
  const { name } = args.instance;
  if (ownInstance(platform, args.instance) !== undefined) {
    const running = replicasOf(platform, name).find(
      (each) => !["stopped", "exited"].includes(phaseOf(each, Date.now()).state),
    );
    if (running !== undefined) throw new CtrlPlaneError("CONFLICT", `${running.name} runs`, { target: running.name });
    Reflect.deleteProperty(state.instances, name);
  }
  if (args.volumes) removeVolumes(state, args.instance);
}

export function route(platform: Platform, args: OfInstance & { readonly route?: RouteRecord }): void {
  const { state } = platform;
  const record =
    args.route === undefined ? ownInstance(platform, args.instance) : ensureInstance(platform, args.instance);
  if (record === undefined) return;
  const wanted = new Set(args.route?.ports.flatMap((each) => each.hostPort ?? []));
  for (const other of Object.values(state.instances)) {
    if (other.name === record.name) continue;
    const taken = other.route?.ports.find((each) => each.hostPort !== undefined && wanted.has(each.hostPort));
    if (taken === undefined) continue;
    throw new CtrlPlaneError("FAILED", `port ${taken.hostPort} is in use by ${other.name}`, {
      target: record.name,
      failure: { verdict: "PORT_IN_USE" },
      hint: "publish another port",
    });
  }
  if (args.route === undefined) delete record.route;
  else record.route = args.route;
}

export function settle(platform: Platform, { instance, settled }: SettleArgs): void {
  const record = ensureInstance(platform, instance);
  if (settled === undefined) {
    delete record.settled;
    return;
  }
  record.settled = settled;
  if (typeof settled.replicas === "number") delete record.range;
  else record.range = settled.replicas;
}

export function markStopped(
  platform: Platform,
  { instance, stopped }: OfInstance & { readonly stopped: boolean },
): void {
  ensureInstance(platform, instance).stopped = stopped;
}
