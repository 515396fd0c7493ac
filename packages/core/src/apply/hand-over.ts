import { CtrlPlaneError } from "../errors/error.ts";
import type { DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ChangeScope } from "./change-scope.ts";
import { carryOut } from "./deployment.ts";
import { isInterruption } from "./outcome.ts";
import { revertInstance } from "./revert-instance.ts";

/** Predecessors that hold an address which an instance is about to publish. */
export interface HandOver {
  /** They are drained and stop, and stay as they are. Throws where one of them does not. */
  take(): Promise<void>;
  /** The address was published anew; they are removed by actions of their own. */
  tell(): void;
  /** They serve again, and it is said why. */
  giveBack(because: string): Promise<void>;
}

/**
 * What an action's `takesOver` means. Until it is decided the predecessor has an intent from its release to the same one: a
 * command that finds it either removes it, as was planned, or brings it to serve again.
 */
export function handOver(scope: ChangeScope, action: PlanAction, givers: readonly KnownInstance[]): HandOver {
  const stopped: KnownInstance[] = [];
  let begunAt = 0;
  return {
    async take() {
      begunAt = scope.core.clock.monotonic();
      try {
        for (const giver of givers) stopped.push(await stopGiver(scope, action, giver));
      } catch (error) {
        if (!isInterruption(error)) await this.giveBack(action.instance.service);
        throw error;
      }
    },
    tell() {
      const gapMs = Math.round(scope.core.clock.monotonic() - begunAt);
      const from = givers.map(({ instance }) => nameOf(instance, action)).join(", ");
      const message = `${action.publishes.join(", ")} taken over from ${from}: no answer there for at most ${(gapMs / 1000).toFixed(1)} s`;
      scope.emitFor(action.instance, { type: "service.moved", message, data: { gapMs, from } });
    },
    async giveBack(because) {
      for (const giver of stopped.toReversed()) {
        const { outcome, reason } = await revertInstance(scope, giver, because);
        if (outcome === "reverted") continue;
        throw new CtrlPlaneError("FAILED", `${giver.instance.name} does not serve again: ${reason ?? outcome}`, {
          target: giver.instance.name,
          provider: giver.instance.provider,
          hint: "The next deploy goes on from here.",
        });
      }
    },
  };
}

async function stopGiver(scope: ChangeScope, action: PlanAction, giver: KnownInstance): Promise<KnownInstance> {
  const { instance, observed } = giver;
  const settled = observed?.settled;
  if (settled === undefined) throw new CtrlPlaneError("INTERNAL", `${instance.name} has no release to come back to`);
  const { ledger } = scope.platform(instance);
  const found = await ledger.openRelease(instance.service, settled.number, scope.readContext());
  if (found?.opened !== true) throw lost(giver, settled.number);
  const aim = {
    from: settled.number,
    to: settled.number,
    strategy: found.release.spec.strategy.type,
    replicas: settled.replicas,
    ...(settled.scaledBy === undefined ? {} : { scaledBy: settled.scaledBy }),
  };
  let deployment = "";
  const result = await carryOut(
    scope,
    instance,
    aim,
    async ({ id, context }) => {
      const message = `stops, and makes way for ${nameOf(action.instance, giver)}`;
      scope.emitFor(instance, { type: "service.started", message }, id);
      await scope.provider(instance).stop({ ...stopRequest(found.release), instance }, context);
      return { outcome: "succeeded", message };
    },
    undefined,
    (id) => (deployment = id),
  );
  if (result.outcome !== "succeeded") throw notStopped(giver, result);
  const unfinished = { service: instance.service, deployment, change: scope.number, isReverting: false };
  return { ...giver, unfinished: { ...unfinished, from: settled.number, to: settled.number } };
}

/** How a release says that its replicas are to end. */
export function stopRequest({ instance, spec: { stop, strategy } }: Release) {
  return { instance, ...stop, drainMs: strategy.drainMs };
}

/** Of one service its place, else its name. */
function nameOf(instance: PlanAction["instance"], beside: Pick<PlanAction, "instance">): string {
  return instance.service === beside.instance.service ? instance.provider : instance.service;
}

function lost({ instance }: KnownInstance, number: number): CtrlPlaneError {
  return new CtrlPlaneError(
    "NOT_FOUND",
    `release ${number} of ${instance.service} on ${instance.provider} cannot be read: it could not serve again if this failed`,
    { target: instance.name, hint: `Use the key it was sealed with, or pctl destroy ${instance.service} first.` },
  );
}

function notStopped({ instance }: KnownInstance, { reason, outcome }: DeploymentResult): CtrlPlaneError {
  return new CtrlPlaneError("FAILED", `${instance.name} on ${instance.provider} did not stop: ${reason ?? outcome}`, {
    target: instance.name,
    provider: instance.provider,
  });
}
