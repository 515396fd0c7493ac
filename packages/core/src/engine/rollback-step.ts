import type { PlanAction } from "../model/plan.ts";
import { isAsSettled } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import { describeReplicas } from "../plan/describe.ts";
import { fieldChanges } from "../plan/field-changes.ts";
import { publishedBy } from "../plan/host-ports.ts";
import { actionKey, type KnownInstance } from "../plan/input.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Survey } from "./survey.ts";

/** Where one instance is to go back to; without a release it did not exist before, and goes. */
export interface RollbackStep {
  readonly known: KnownInstance;
  readonly target?: Release;
  readonly notes: readonly string[];
  readonly isHeld: boolean;
  /** It is a job, which is left as it is. */
  readonly isJob?: boolean;
  /** It is on its way to another release, and that is taken back. */
  readonly isUnfinished: boolean;
}

async function servedRelease(
  seen: Survey,
  { instance, observed }: KnownInstance,
  context: ProviderContext,
): Promise<Release | undefined> {
  if (observed?.settled === undefined) return undefined;
  const ledger = seen.surveys.get(instance.platformId)?.platform.ledger;
  return (await ledger?.openRelease(instance.service, observed.settled.number, context))?.release;
}

function kindOf({ known, isHeld, isUnfinished }: RollbackStep, target: Release): PlanAction["kind"] {
  if (isUnfinished) return "revert";
  const settled = known.observed?.settled;
  const serves = settled?.releaseId === target.id && isAsSettled(known.observed?.state);
  if (serves && known.unfinished === undefined) return "keep";
  if (isHeld) return "hold";
  return settled?.replicaHash === target.revision.replicaHash ? "configure" : "update";
}

/** Its line in the plan of the rollback. */
export async function describeStep(seen: Survey, step: RollbackStep, context: ProviderContext): Promise<PlanAction> {
  const { known, target } = step;
  const settled = known.observed?.settled;
  const served = await servedRelease(seen, known, context);
  const base = {
    key: actionKey(known.instance),
    instance: known.instance,
    causes: ["configuration"] as const,
    after: [],
    ...(settled === undefined ? {} : { from: settled.number }),
    publishes: settled === undefined && target !== undefined ? publishedBy(target.spec) : [],
  };
  if (step.isJob === true) {
    const stays = settled?.completedAt === undefined ? "stays" : "stays completed";
    const summary = settled === undefined ? "a job" : `release ${settled.number} ${stays}`;
    return { ...base, kind: "keep", changes: [], volumes: [], notes: step.notes, summary };
  }
  if (target === undefined) {
    const summary = step.isHeld ? "was created by the change, and stays: it has volumes" : "was created by the change";
    return {
      ...base,
      kind: step.isHeld ? "hold" : "remove",
      changes: [],
      volumes: known.observed?.volumes ?? [],
      notes: step.notes,
      summary,
    };
  }
  const kind = kindOf(step, target);
  const scale =
    settled?.scaledBy === undefined ? [] : [`keeps the manual scale of ${describeReplicas(settled.replicas)}`];
  return {
    ...base,
    kind,
    changes: served === undefined ? [] : fieldChanges(served, target),
    release: target.number,
    strategy: target.spec.strategy.type,
    volumes: [],
    notes: [...step.notes, ...scale],
    summary:
      kind === "keep"
        ? `release ${target.number} serves already`
        : `back to release ${target.number} of ${target.createdAt.slice(0, 16).replace("T", " ")}`,
  };
}
