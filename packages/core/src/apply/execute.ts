import type { DeploymentOutcome, DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { DesiredInstance, KnownInstance } from "../plan/input.ts";
import type { ChangeScope } from "./change-scope.ts";
import { deployInstance } from "./deploy-instance.ts";
import { failedResult, isInterruption } from "./outcome.ts";
import { removeInstance } from "./remove-instance.ts";
import { lostWayBack, revertInstance } from "./revert-instance.ts";
import { runGraph, type GraphNode, type NodeOutcome } from "./run-graph.ts";

export interface ExecuteInput {
  readonly actions: readonly PlanAction[];
  readonly desired: ReadonlyMap<string, DesiredInstance>;
  readonly known: ReadonlyMap<string, KnownInstance>;
  /** Removed instances lose their volumes too. */
  readonly volumes: boolean;
}

interface ActionNode extends GraphNode {
  readonly action: PlanAction;
}
interface ActionOutcome extends NodeOutcome {
  readonly result: DeploymentResult;
}

const blocking: readonly DeploymentOutcome[] = ["failed", "reverted", "skipped", "paused", "unreachable"];

/** Carries out a plan's actions, and decides nothing. */
export function execute(scope: ChangeScope, input: ExecuteInput): Promise<DeploymentResult[]> {
  return runActions(scope, input.actions, (action) => dispatch(scope, action, input));
}

/** Independent actions in parallel, dependents after what they wait for; never rejects: what fails is in the results. */
export async function runActions(
  scope: ChangeScope,
  actions: readonly PlanAction[],
  act: (action: PlanAction) => Promise<DeploymentResult>,
): Promise<DeploymentResult[]> {
  const nodes = actions.map((action): ActionNode => ({
    action,
    key: action.key,
    after: action.after,
    group: action.instance.provider,
  }));
  const run = async ({ action }: ActionNode): Promise<ActionOutcome> => outcomeOf(await runAction(scope, action, act));
  const skip = ({ action }: ActionNode, because: string): ActionOutcome => {
    const reason = `waits for ${because.split("@")[0] ?? because}, which did not succeed`;
    scope.emitFor(action.instance, { type: "service.skipped", level: "warn", message: reason, data: { because } });
    return outcomeOf(skipped(action, reason));
  };
  const outcomes = await runGraph(nodes, scope.core.parallel, run, skip);
  return outcomes.map((each) => each.result);
}

function outcomeOf(result: DeploymentResult): ActionOutcome {
  // Held for inspection is a failure to those who wait for it; held back from removal is none.
  const isFailedAndHeld = result.outcome === "held" && result.deployment !== undefined;
  return { result, blocks: isFailedAndHeld || blocking.includes(result.outcome) };
}

function plainResult(action: PlanAction, outcome: DeploymentOutcome): DeploymentResult {
  const { instance } = action;
  return { service: instance.service, instance: instance.id, provider: instance.provider, outcome, elapsedMs: 0 };
}

function skipped(action: PlanAction, reason: string): DeploymentResult {
  return { ...plainResult(action, "skipped"), reason };
}

async function runAction(
  scope: ChangeScope,
  action: PlanAction,
  act: (action: PlanAction) => Promise<DeploymentResult>,
): Promise<DeploymentResult> {
  const begun = scope.core.clock.monotonic();
  const passive = passiveResult(action);
  if (passive !== undefined) return passive;
  try {
    if (scope.signal.aborted) return skipped(action, "interrupted before it was begun");
    return await act(action);
  } catch (error) {
    if (isInterruption(error))
      return skipped(action, `interrupted: ${error.message}; the next command goes on from here`);
    const elapsedMs = Math.round(scope.core.clock.monotonic() - begun);
    const { deployment: _, ...result } = failedResult(action.instance, error, { deployment: "", elapsedMs });
    const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
    const message = result.reason ?? "failed";
    scope.emitFor(action.instance, {
      type: "service.done",
      level: "error",
      message,
      data: { outcome: "failed", elapsedMs, hint },
    });
    return result;
  }
}

/** Of an action that does nothing. */
function passiveResult(action: PlanAction): DeploymentResult | undefined {
  const serving = action.from === undefined ? {} : { serving: action.from };
  if (action.kind === "keep") return { ...plainResult(action, "unchanged"), ...serving };
  if (action.kind === "hold") return { ...plainResult(action, "held"), ...serving, reason: action.summary };
  if (action.kind === "unreachable") return { ...plainResult(action, "unreachable"), reason: action.summary };
  return undefined;
}

async function dispatch(scope: ChangeScope, action: PlanAction, input: ExecuteInput): Promise<DeploymentResult> {
  const known = input.known.get(action.key) ?? { instance: action.instance, releases: [] };
  switch (action.kind) {
    case "remove":
      return removeInstance(scope, action, known, { volumes: input.volumes });
    case "revert":
      return revertThenDeploy(scope, action, known, input);
    case "create":
    case "update":
    case "configure":
    case "resume":
      return deployWanted(scope, action, known, input);
    default:
      throw new Error(`${action.kind} is not carried out`);
  }
}

async function deployWanted(
  scope: ChangeScope,
  action: PlanAction,
  known: KnownInstance,
  input: ExecuteInput,
): Promise<DeploymentResult> {
  const desired = input.desired.get(action.key);
  if (desired === undefined) throw new Error(`nothing is declared for ${action.key}`);
  return deployInstance(scope, action, desired, known);
}

async function revertThenDeploy(
  scope: ChangeScope,
  action: PlanAction,
  known: KnownInstance,
  input: ExecuteInput,
): Promise<DeploymentResult> {
  const { unfinished: _unfinished, ...settled } = known;
  const lost = await lostWayBack(scope, known);
  if (lost !== undefined) {
    // A deploy ends what it finds, whatever that is: only the old release does not serve in between.
    const message = `${lost}: what was begun is replaced without going back first`;
    scope.emitFor(action.instance, { type: "diagnostic", level: "warn", message });
    return deployWanted(scope, action, settled, input);
  }
  const reverted = await revertInstance(scope, known);
  if (reverted.outcome !== "reverted") return reverted;
  const { observed: _observed, ...rest } = settled;
  const status =
    reverted.serving === undefined
      ? undefined
      : await scope.provider(action.instance).status({ instance: action.instance }, scope.readContext());
  const desired = input.desired.get(action.key);
  if (status?.settled !== undefined && status.settled.specHash === desired?.specHash && status.state === "serving") {
    return { ...reverted, outcome: "succeeded" };
  }
  return deployWanted(scope, action, { ...rest, ...(status === undefined ? {} : { observed: status }) }, input);
}
