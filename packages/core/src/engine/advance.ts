import { CtrlPlaneError } from "../errors/error.ts";
import type { Change, DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { Stack } from "../model/stack.ts";
import type { AdvanceOptions, Run } from "../control-plane.ts";
import type { ChangeScope } from "../apply/change-scope.ts";
import { carryOut, type Deployment, type DeploymentEffect } from "../apply/deployment.ts";
import { recordServing } from "../apply/deploy-instance.ts";
import { proveServing, tellPaused } from "../apply/roll-out-release.ts";
import { runActions } from "../apply/execute.ts";
import { revertInstance, tellReverting } from "../apply/revert-instance.ts";
import { describePause } from "../plan/pause.ts";
import { actionKey, type KnownInstance, type UnfinishedDeployment } from "../plan/input.ts";
import type { Core } from "../platforms/core.ts";
import { knownInstances, refuseUntouchable } from "./known.ts";
import { planOfActions } from "./plan-of-actions.ts";
import { runChange } from "./run-change.ts";
import { checkServices } from "./service-names.ts";
import { survey, type Survey } from "./survey.ts";
import { refuseUnseen } from "./unreachable.ts";

type Paused = KnownInstance & { readonly unfinished: UnfinishedDeployment & { readonly to: number } };

/** Throws `CONFLICT` for a service that waits at a step: what is meant, the release that serves or the one that waits, is not ours to say. */
export function refusePaused({ instance, unfinished }: KnownInstance): void {
  if (unfinished?.pause === undefined) return;
  const { service } = instance;
  throw new CtrlPlaneError("CONFLICT", `${service}: ${describePause(unfinished.to, unfinished.pause)}`, {
    target: service,
    hint: `pctl promote ${service} goes on with it, pctl abort ${service} takes it back`,
  });
}

/** Goes on with what is paused, or takes it back; without names all of the stack that is. */
export function advanceServices(
  core: Core,
  stack: Stack,
  services: readonly string[],
  to: "promote" | "abort",
  options: AdvanceOptions,
): Promise<Run<Change>> {
  return runChange(core, {
    command: to,
    stack,
    options,
    decide: async (context) => {
      const seen = await survey(core, stack, context);
      const known = knownInstances(stack, seen);
      checkServices(stack, seen, known, services);
      const subjects = choose(seen, stack, [...known.values()], services);
      for (const each of subjects) refuseUntouchable(each, seen);
      const actions = subjects.map((each) => describeAction(each, to));
      const byKey = new Map(subjects.map((each) => [actionKey(each.instance), each]));
      return {
        plan: planOfActions(stack, actions),
        survey: seen,
        execute: (scope) =>
          runActions(scope, actions, async ({ key }) => {
            const subject = byKey.get(key);
            if (subject === undefined) throw new Error(`nothing was decided for ${key}`);
            return to === "abort" ? abort(scope, subject) : promote(scope, subject, options.full ?? false);
          }),
      };
    },
  });
}

/** What waits, and what was on its way on when a process died. Throws where there is none, and for a service named that does not wait. */
function choose(seen: Survey, stack: Stack, known: readonly KnownInstance[], services: readonly string[]): Paused[] {
  const waiting = known.filter(isWaiting);
  for (const service of services) {
    if (waiting.some((each) => each.instance.service === service)) continue;
    for (const each of known) if (each.instance.service === service) refuseUntouchable(each, seen);
    throw new CtrlPlaneError("CONFLICT", `${service} is not paused`, {
      target: service,
      hint: `pctl status ${service} shows what serves.`,
    });
  }
  const chosen = waiting.filter((each) => services.length === 0 || services.includes(each.instance.service));
  if (chosen.length > 0) return chosen;
  refuseUnseen(seen);
  throw new CtrlPlaneError("CONFLICT", `nothing of ${stack.name} is paused`, {
    hint: "pctl status shows what serves.",
  });
}

function isWaiting(known: KnownInstance): known is Paused {
  const { unfinished } = known;
  return unfinished?.to !== undefined && unfinished.isStaged === true && !unfinished.isReverting;
}

function describeAction({ instance, unfinished }: Paused, to: "promote" | "abort"): PlanAction {
  const { from, to: number, pause } = unfinished;
  const back = from === undefined ? "is taken away" : `goes back to release ${from}`;
  const on =
    pause === undefined ? `goes on with release ${number}` : `goes on with release ${number} after step ${pause.step}`;
  return {
    key: actionKey(instance),
    kind: to === "abort" ? "revert" : "resume",
    instance,
    causes: ["recovery"],
    changes: [],
    after: [],
    ...(from === undefined ? {} : { from }),
    release: number,
    volumes: [],
    publishes: [],
    notes: [],
    summary: to === "abort" ? back : on,
  };
}

/**
 * That it was wanted makes it a success. Where there is nothing before it, or the platform cannot be told the whole of both
 * releases, it goes the way back of what did not finish.
 */
async function abort(scope: ChangeScope, subject: Paused): Promise<DeploymentResult> {
  const { instance, unfinished } = subject;
  const { ledger } = scope.platform(instance);
  const { from, to } = unfinished;
  const read = (number: number) => ledger.openRelease(instance.service, number, scope.readContext());
  const isWhole = from !== undefined && (await read(from))?.opened === true && (await read(to))?.opened === true;
  const reverted = isWhole ? await advance(scope, subject, "abort", {}) : await revertInstance(scope, subject);
  if (reverted.outcome !== "reverted") return reverted;
  if (isWhole) await recordServing(scope, await requireRelease(scope, subject, from));
  return { ...reverted, outcome: "succeeded" };
}

async function promote(scope: ChangeScope, subject: Paused, full: boolean): Promise<DeploymentResult> {
  const result = await advance(scope, subject, "promote", full ? { full } : {});
  if (result.outcome === "succeeded")
    await recordServing(scope, await requireRelease(scope, subject, subject.unfinished.to), subject.unfinished.from);
  return result;
}

/** The paused deployment goes on, either way; it is the same one, with its journal. */
async function advance(
  scope: ChangeScope,
  subject: Paused,
  to: "promote" | "abort",
  options: { readonly full?: true },
): Promise<DeploymentResult> {
  const { instance, unfinished, observed } = subject;
  const intent = await scope.platform(instance).ledger.intent(instance.service, scope.readContext());
  if (intent === undefined) throw new CtrlPlaneError("INTERNAL", `nothing of ${instance.name} is unfinished`);
  const release = await requireRelease(scope, subject, unfinished.to);
  const previous = unfinished.from === undefined ? undefined : await requireRelease(scope, subject, unfinished.from);
  const { replicas, strategy } = intent;
  const settled = observed?.settled;
  const provider = scope.provider(instance);
  const carry = async (deployment: Deployment): Promise<DeploymentEffect> => {
    tellBegun(scope, subject, to, deployment.id);
    const request = {
      instance,
      release,
      replicas,
      strategy: release.spec.strategy,
      deployment: deployment.id,
      journal: deployment.journal,
      to,
      ...options,
      ...(previous === undefined ? {} : { previous }),
      ...(settled === undefined ? {} : { previousReplicas: settled.replicas }),
    };
    const end = await provider.advance(request, deployment.context);
    if (end.state === "paused") return tellPaused(scope, release, end, deployment);
    if (to === "promote" || previous === undefined)
      return proveServing(scope, { release, replicas }, end.status, deployment);
    const back = { release: previous, replicas: settled?.replicas ?? previous.spec.scale.replicas };
    return { ...proveServing(scope, back, end.status, deployment), outcome: "reverted" };
  };
  const aim = {
    ...(unfinished.from === undefined ? {} : { from: unfinished.from }),
    to: release.number,
    strategy,
    replicas,
    holds: release.spec.strategy.onFailure === "hold",
  };
  return carryOut(scope, instance, aim, carry, intent);
}

function tellBegun(scope: ChangeScope, subject: Paused, to: "promote" | "abort", deployment: string): void {
  const { instance, unfinished } = subject;
  if (to === "abort") return tellReverting(scope, instance, unfinished);
  const message = `goes on with release ${unfinished.to}`;
  scope.emitFor(instance, { type: "service.started", release: unfinished.to, message }, deployment);
}

async function requireRelease(scope: ChangeScope, { instance }: Paused, number: number): Promise<Release> {
  const opened = await scope.platform(instance).ledger.openRelease(instance.service, number, scope.readContext());
  if (opened?.problem !== undefined) throw opened.problem;
  if (opened !== undefined) return { ...opened.release, instance };
  throw new CtrlPlaneError("NOT_FOUND", `release ${number} of ${instance.service} is not on record`, {
    target: instance.service,
    hint: `pctl abort ${instance.service} takes it back`,
  });
}
