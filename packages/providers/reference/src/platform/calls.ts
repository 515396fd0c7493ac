import type { InstanceIdentity } from "@ctrlplane/core/provider";
import type { CreateArgs, ListArgs, LogArgs, RouteRecord, SettleArgs } from "../protocol.ts";
import { exec, run, type ExecArgs, type RunArgs } from "./commands.ts";
import { deprovision, listInstances, markStopped, provision, route, settle, viewInstance } from "./instances.ts";
import { ledgerCalls } from "./ledger.ts";
import { readLogs } from "./logs.ts";
import type { Platform } from "./platform.ts";
import {
  configureReplica,
  createReplica,
  listReplicas,
  outlive,
  removeReplica,
  startReplica,
  stopReplica,
  waitEnd,
  waitReady,
  type ReplicaArgs,
} from "./replicas.ts";

type OfInstance = { readonly instance: InstanceIdentity };

/** All that a provider can ask for. Those in `writes` change something: they are recorded, fenced and told to those who wait. */
export const calls = {
  health: ({ state }: Platform) => ({ platformId: state.platformId }),
  resolve: ({ state }: Platform, { reference }: { readonly reference: string }) => state.tags[reference] ?? reference,
  list: (platform: Platform, args: ListArgs) => listInstances(platform, args),
  instance: (platform: Platform, args: OfInstance) => viewInstance(platform, args) ?? null,
  replicas: (platform: Platform, args: OfInstance) => listReplicas(platform, args),
  waitReady: (platform: Platform, args: ReplicaArgs & { readonly timeoutMs: number }, signal: AbortSignal) =>
    waitReady(platform, args, signal),
  outlive: (platform: Platform, args: ReplicaArgs & { readonly ms: number }, signal: AbortSignal) =>
    outlive(platform, args, signal),
  waitEnd: (platform: Platform, args: ReplicaArgs, signal: AbortSignal) => waitEnd(platform, args, signal),
  logs: (platform: Platform, args: LogArgs, signal: AbortSignal) => readLogs(platform, args, signal),
  exec: (platform: Platform, args: ExecArgs) => exec(platform, args),
  run: (platform: Platform, args: RunArgs) => run(platform, args),
  "ledger.read": ledgerCalls["ledger.read"],
  "ledger.list": ledgerCalls["ledger.list"],

  image: ({ state }: Platform, { digest, behaviour }: { readonly digest: string; readonly behaviour: string }) => {
    state.images[digest] = behaviour;
  },
  provision: (platform: Platform, args: Parameters<typeof provision>[1]) => provision(platform, args),
  deprovision: (platform: Platform, args: OfInstance & { readonly volumes: boolean }) => deprovision(platform, args),
  create: (platform: Platform, args: CreateArgs) => createReplica(platform, args),
  start: (platform: Platform, args: ReplicaArgs) => startReplica(platform, args),
  drain: () => undefined,
  stop: (platform: Platform, args: ReplicaArgs) => stopReplica(platform, args),
  remove: (platform: Platform, args: ReplicaArgs) => removeReplica(platform, args),
  configure: (platform: Platform, args: ReplicaArgs & { readonly release: number }) => configureReplica(platform, args),
  route: (platform: Platform, args: OfInstance & { readonly route?: RouteRecord }) => route(platform, args),
  settle: (platform: Platform, args: SettleArgs) => settle(platform, args),
  markStopped: (platform: Platform, args: OfInstance & { readonly stopped: boolean }) => markStopped(platform, args),
  "ledger.create": ledgerCalls["ledger.create"],
  "ledger.swap": ledgerCalls["ledger.swap"],
  "ledger.remove": ledgerCalls["ledger.remove"],
};

export type CallName = keyof typeof calls;

const writes: ReadonlySet<string> = new Set<CallName>([
  "image",
  "provision",
  "deprovision",
  "create",
  "start",
  "drain",
  "stop",
  "remove",
  "configure",
  "route",
  "settle",
  "markStopped",
  "ledger.create",
  "ledger.swap",
  "ledger.remove",
]);

export function isCall(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}

export function isWrite(name: CallName): boolean {
  return writes.has(name);
}
