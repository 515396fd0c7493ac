import { CtrlPlaneError, type ReplicaEnd, type SettledRelease } from "@ctrlplane/core/provider";
import type { Operation } from "../protocol/server.ts";
import type { ScheduleRequest } from "../schedule/records.ts";
import type { Schedules } from "../schedule/schedules.ts";
import type { Epochs } from "./epochs.ts";
import type { Fleet } from "./fleet.ts";
import { outlive, startFailure, waitReady } from "./gate.ts";
import { jobEnd } from "./job-end.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { CreateReplica, FenceToken, SupervisorStatus } from "./operations.ts";
import type { InstanceDescription, InstanceRecord, ReplicaPolicy, RouteSet } from "./records.ts";
import type { Routing } from "./routing.ts";

export interface Supervisor {
  readonly fleet: Fleet;
  readonly routing: Routing;
  readonly schedules: Schedules;
  readonly epochs: Epochs;
  readonly gateway: GatewayLink;
  status(): SupervisorStatus;
  /** Ends this process after the answer. Replicas live on. */
  leave(): void;
}

/** What the supervisor answers. Bodies are those that this package's own client of the same version sends. */
export function handlers(supervisor: Supervisor): Readonly<Record<string, Operation>> {
  const { fleet, routing, schedules, epochs, gateway } = supervisor;

  /** A change: fenced, and finished even if the caller goes away. */
  const change =
    <T>(work: (body: T & { readonly fence: FenceToken }, signal: AbortSignal) => Promise<unknown>): Operation =>
    async (body, { signal }) => {
      // See above: the client and this file agree on shapes.
      const request = body as T & { readonly fence: FenceToken };
      epochs.check(request.fence);
      return work(request, signal);
    };

  const read =
    <T>(work: (body: T, signal: AbortSignal) => Promise<unknown>): Operation =>
    async (body, { signal }) =>
      work(body as T, signal);

  return {
    status: read(async () => supervisor.status()),
    create: change<{ request: CreateReplica }>(async ({ request }) => {
      const { instance } = request;
      await routing.record(instance.name, (known) => known ?? { ...instance, stopped: false });
      // What it will be routed by is there when it is ready.
      if (request.replica.ports.length > 0) gateway.warmUp();
      await fleet.create(request);
    }),
    start: change<{ id: string }>(async ({ id }) => {
      const replica = fleet.get(id);
      await fleet.inTurn(id, () => replica.start());
      const failure = replica.live === undefined ? startFailure(replica) : undefined;
      if (failure !== undefined) throw failure;
    }),
    waitReady: read<{ id: string; timeoutMs: number }>(({ id, timeoutMs }, signal) =>
      waitReady(fleet.get(id), timeoutMs, signal),
    ),
    outlive: read<{ id: string; ms: number }>(({ id, ms }, signal) => outlive(fleet.get(id), ms, signal)),
    waitEnd: read<{ id: string }>(async ({ id }, signal): Promise<ReplicaEnd> => {
      const replica = fleet.find(id);
      // A run by a schedule that ended meanwhile.
      if (replica === undefined) return { state: "unknown" };
      await replica.changes.until(() => !replica.isKept, signal);
      return jobEnd(replica);
    }),
    stop: change<{ id: string; signal: string; graceMs: number }>(async ({ id, signal, graceMs }) => {
      await fleet.find(id)?.stop({ signal, graceMs });
    }),
    remove: change<{ id: string }>(({ id }) => fleet.remove(id)),
    configure: change<{ id: string; policy: ReplicaPolicy }>(async ({ id, policy }) => {
      await fleet.get(id).configure(policy);
    }),
    route: change<{ instance: string; set?: RouteSet }>(async ({ instance, set }) => {
      const record = routing.instance(instance);
      if (record !== undefined) await routing.route(record, set);
      else if (set !== undefined) throw new CtrlPlaneError("NOT_FOUND", `there is no instance ${instance}`);
    }),
    drain: change<{ id: string; timeoutMs: number }>(async ({ id, timeoutMs }, signal) => {
      // A supervisor before this one may have recorded that it is not routed, and died before the gateway knew.
      await routing.refresh();
      await gateway.drain(id, timeoutMs, signal);
    }),
    settle: change<{ instance: InstanceDescription; settled?: SettledRelease }>(async ({ instance, settled }) => {
      const known = routing.instance(instance.name);
      const isEmpty = fleet.all().every((each) => each.record.instance !== instance.name);
      if (settled === undefined && isEmpty) {
        if (known?.route !== undefined) await routing.route(known, undefined);
        await schedules.quiet(instance.name);
        return routing.forget(instance.name);
      }
      await routing.record(instance.name, (now) => settledRecord(instance, settled, now));
    }),
    markStopped: change<{ instance: string; stopped: boolean }>(async ({ instance, stopped }) => {
      await routing.record(instance, (known) => (known === undefined ? undefined : { ...known, stopped }));
      await schedules.quiet(instance);
    }),
    schedule: change<{ instance: string; request?: ScheduleRequest }>(async ({ instance, request }) => {
      if (request !== undefined)
        await routing.record(instance, (known) => known ?? { ...request.run.instance, stopped: false });
      await schedules.set(instance, request);
    }),
    handOver: read(async () => supervisor.leave()),
    shutdown: read<{ stopServices: boolean }>(async ({ stopServices }) => {
      if (stopServices) {
        await Promise.all(fleet.all().map((replica) => replica.end(replica.record.policy.stop)));
        await gateway.stop();
      }
      supervisor.leave();
    }),
  };
}

function settledRecord(
  instance: InstanceDescription,
  settled: SettledRelease | undefined,
  known: InstanceRecord | undefined,
): InstanceRecord {
  return {
    ...instance,
    stopped: false,
    ...(settled === undefined ? {} : { settled }),
    ...(known?.route === undefined ? {} : { route: known.route }),
  };
}
