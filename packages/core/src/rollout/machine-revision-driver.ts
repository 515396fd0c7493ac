import type { InstanceIdentity } from "../model/identity.ts";
import { revisionKey, type Release } from "../model/release.ts";
import type { ProviderContext } from "../provider/context.ts";
import { revisionsOf, type RoutedShares } from "./describe-instance.ts";
import { ensureReplicas } from "./ensure-replicas.ts";
import { inParallel } from "./in-parallel.ts";
import type { Replica, ReplicaDriver } from "./replica-driver.ts";
import { retireReplicas } from "./retire-replicas.ts";
import type { RevisionDriver, RolloutState } from "./revision-driver.ts";
import { targetsOf, withoutReplicas } from "./traffic.ts";
import { beforeEffect } from "./with-signal.ts";

export interface MachineRolloutOptions {
  /** Replicas are created in the name of this deployment. */
  readonly deployment: string;
  /** The release whose ports stay published while replicas leave before any weight was set. */
  readonly release: Release;
  /** Replicas of a release when all are there: their names depend on it. */
  total(release: Release): number;
  /** What a range of replicas means. Default: its minimum. */
  readonly rangeMeans?: RevisionDriver["rangeMeans"];
  /** Replicas of one instance that are started or stopped at a time. Default 8. */
  readonly parallel?: number;
  /** Called before each change of what serves. */
  beforeRouting?(): Promise<void>;
}

/** A `RevisionDriver` for one instance on a platform that knows single replicas. One ordinal of a revision runs at most once. */
export function machineRevisionDriver(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  options: MachineRolloutOptions,
): RevisionDriver {
  const parallel = options.parallel ?? 8;
  /** What was seen, until the next step: nothing of ours has changed since then. */
  let justSeen: readonly Replica[] | undefined;
  /** The one replica of the instance, where the step before made it: it gets everything, whatever has become of it. */
  let only: Replica | undefined;
  let published = options.release;
  let isMarkedStopped = true;
  let turn: Promise<unknown> = Promise.resolve();
  /** The routed set is read, changed and written whole: one change at a time. */
  const changeRoutes = async (change: () => Promise<void>): Promise<void> => {
    const mine = turn.then(change);
    turn = Promise.allSettled([mine]);
    await mine;
  };
  const allReplicas = (context: ProviderContext): readonly Replica[] | Promise<readonly Replica[]> => {
    const all = justSeen ?? listed(driver, instance, context);
    [justSeen, only] = [undefined, undefined];
    return all;
  };
  const replicasOf = async (key: string, context: ProviderContext): Promise<readonly Replica[]> =>
    (await allReplicas(context)).filter((each) => revisionKey(each) === key);

  return {
    ...(options.rangeMeans === undefined ? {} : { rangeMeans: options.rangeMeans }),

    async observe(context) {
      const [seen, replicas] = await observe(driver, instance, context);
      isMarkedStopped = seen.stopped;
      justSeen = replicas;
      return seen;
    },

    async ensure(release, replicas, { timeoutMs }, context) {
      const all = await allReplicas(context);
      const existing = all.filter((each) => revisionKey(each) === revisionKey(release.revision));
      const total = Math.max(options.total(release), replicas);
      const wanted = { release, replicas, total, deployment: options.deployment, timeoutMs, parallel };
      const [made, ...more] = await ensureReplicas(driver, wanted, existing, context);
      only = all.length === 0 && more.length === 0 ? made : undefined;
    },

    async weigh(release, weights, { settled }, context) {
      const there = only === undefined ? undefined : [only];
      [justSeen, only] = [undefined, undefined];
      await changeRoutes(async () => {
        const targets = targetsOf(weights, there ?? (await listed(driver, instance, context)));
        const isEmpty = Object.keys(targets).length === 0;
        published = release;
        await options.beforeRouting?.();
        await beforeEffect(context);
        const set = { release, targets, ...(settled === undefined ? {} : { settled }) };
        await driver.route(instance, isEmpty ? undefined : set, context);
      });
    },

    async retire(key, { keep, ...ending }, context) {
      const leaving = surplus(await replicasOf(key, context), keep, await driver.routed(instance, context));
      if (leaving.length === 0) return;
      await changeRoutes(async () => {
        const routed = await driver.routed(instance, context);
        if (!leaving.some((each) => each.id in routed)) return;
        const targets = withoutReplicas(routed, await listed(driver, instance, context), leaving);
        const isEmpty = Object.keys(targets).length === 0;
        await options.beforeRouting?.();
        await beforeEffect(context);
        await driver.route(instance, isEmpty ? undefined : { release: published, targets }, context);
      });
      await retireReplicas(driver, leaving, { ...ending, parallel }, context);
    },

    async outlive(release, ms, context) {
      const routed = await driver.routed(instance, context);
      const all = await replicasOf(revisionKey(release.revision), context);
      // Those that are neither are a later batch's, which another call watches once it is routed.
      const watched = all.filter((each) => each.state === "ready" || each.id in routed);
      await inParallel(watched, watched.length + 1, context, (each, inner) => driver.outlive(each, ms, inner));
    },

    async restore(context) {
      await beforeEffect(context);
      return (await driver.restore?.(instance, context)) ?? false;
    },

    async configure(release, context) {
      const running = await replicasOf(revisionKey(release.revision), context);
      await inParallel(running, parallel, context, async (each, inner) => {
        await beforeEffect(inner);
        await driver.configure(each, release, inner);
      });
    },

    async settle(settled, context) {
      await driver.settle(instance, settled, context);
      if (!isMarkedStopped) return;
      await beforeEffect(context);
      await driver.markStopped(instance, false, context);
    },
  };
}

/** All replicas; what was altered is of no revision that anybody wants. */
async function listed(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<readonly Replica[]> {
  const found = await driver.list(instance, context);
  return found.map((each) =>
    each.isAltered === true ? { ...each, replicaHash: `altered-${each.replicaHash}` } : each,
  );
}

async function observe(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<readonly [RolloutState, readonly Replica[]]> {
  const [replicas, routed, base] = await Promise.all([
    listed(driver, instance, context),
    driver.routed(instance, context),
    driver.instance(instance, context),
  ]);
  const revisions = revisionsOf(replicas, routed).map((each) => {
    const key = revisionKey(each);
    const ages = replicas.flatMap((one) => (revisionKey(one) === key ? (one.readyForMs ?? []) : []));
    return {
      key,
      desired: each.desired,
      ready: each.ready,
      weight: each.weight,
      restarts: each.restarts ?? 0,
      readyForMs: Math.min(...ages, Infinity),
    };
  });
  const adopted = replicas.find((each) => each.isAdopted === true);
  const state = {
    ...(adopted === undefined ? {} : { adopted: revisionKey(adopted) }),
    revisions: revisions.map((each) => ({ ...each, readyForMs: each.readyForMs === Infinity ? 0 : each.readyForMs })),
    stopped: base?.stopped ?? false,
    ...(base?.settled === undefined ? {} : { settled: base.settled }),
  };
  return [state, replicas];
}

/** All but one for each of the first `keep` ordinals: those beyond, and doubles, of which the routed one stays, or a ready one. */
function surplus(replicas: readonly Replica[], keep: number, routed: RoutedShares): readonly Replica[] {
  const merit = (each: Replica): number => (each.id in routed ? 2 : 0) + (each.state === "ready" ? 1 : 0);
  const preferred = replicas.toSorted((a, b) => merit(b) - merit(a));
  const kept = new Map<number, Replica>();
  for (const each of preferred) {
    if (each.ordinal <= keep && !kept.has(each.ordinal)) kept.set(each.ordinal, each);
  }
  return replicas.filter((each) => kept.get(each.ordinal) !== each);
}
