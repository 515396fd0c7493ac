import { isAsSettled } from "../model/observed.ts";
import type { DeploymentOutcome, DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { DesiredInstance, KnownInstance } from "../plan/input.ts";
import { Builds } from "./builds.ts";
import type { ChangeScope } from "./change-scope.ts";
import { deployInstance } from "./deploy-instance.ts";
import { decideGroup, type Member, type Provisional } from "./group.ts";
import { failedResult, isInterruption } from "./outcome.ts";
import { handOver } from "./hand-over.ts";
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
  readonly isInterrupted: boolean;
}

/** Carries out one action; where it stands in a group, a success is given to `hold` instead of being ended. */
type Act = (action: PlanAction, hold: Hold) => Promise<DeploymentResult>;
type Hold = ((provisional: Provisional) => void) | undefined;

const blocking: readonly DeploymentOutcome[] = ["failed", "reverted", "skipped", "paused", "unreachable"];

/** Kinds of actions that bring what is declared. */
const brings: readonly PlanAction["kind"][] = ["create", "update", "configure", "resume", "revert"];

type ExecuteParts = ExecuteInput & { readonly builds: Builds };

/** Carries out a plan's actions, and decides nothing. */
export function execute(scope: ChangeScope, input: ExecuteInput): Promise<DeploymentResult[]> {
  const brought = input.actions.filter(({ kind }) => brings.includes(kind));
  const builds = new Builds(brought.flatMap(({ key }) => input.desired.get(key) ?? []));
  return runActions(scope, input.actions, (action, hold) => dispatch(scope, action, { ...input, builds }, hold));
}

/**
 * Independent actions in parallel, dependents after what they wait for; a group ends together, and after a failure in it nothing
 * more of it is begun. Never rejects: what fails is in the results.
 */
export async function runActions(
  scope: ChangeScope,
  actions: readonly PlanAction[],
  act: Act,
): Promise<DeploymentResult[]> {
  const nodes = actions.map((action): ActionNode => ({
    action,
    key: action.key,
    after: action.after,
    group: action.instance.provider,
    ...(action.group === undefined ? {} : { together: action.group }),
  }));
  const provisional = new Map<string, Provisional>();
  const failed = new Map<string, string>();
  const run = async ({ action }: ActionNode): Promise<ActionOutcome> => {
    const { group, key, instance } = action;
    if (group === undefined) return runAction(scope, action, (each) => act(each, undefined));
    const because = failed.get(group);
    if (because !== undefined) return skip(scope, action, `not begun, because ${because} failed`, because);
    const outcome = await runAction(scope, action, (each) => act(each, (held) => provisional.set(key, held)));
    if (isFailure(outcome) && !outcome.isInterrupted && !failed.has(group))
      failed.set(group, nameOf(instance, actions));
    return outcome;
  };
  const wait = ({ action }: ActionNode, because: string): ActionOutcome =>
    skip(scope, action, `waits for ${because.split("@")[0] ?? because}, which did not succeed`, because);
  const decide = async (
    ended: readonly { readonly node: ActionNode; readonly outcome: ActionOutcome }[],
  ): Promise<ActionOutcome[]> => {
    const members = ended.map(({ node: { action }, outcome }): Member => {
      const held = provisional.get(action.key);
      const { result, isInterrupted } = outcome;
      return {
        action,
        result,
        isFailed: isFailure(outcome),
        isInterrupted,
        ...(held === undefined ? {} : { provisional: held }),
      };
    });
    return (await decideGroup(scope, members)).map((result) => outcomeOf(result));
  };
  const outcomes = await runGraph(nodes, scope.core.parallel, run, wait, decide);
  return outcomes.map((each) => each.result);
}

/** A pause is neither success nor failure to its group. */
function isFailure({ blocks, result }: ActionOutcome): boolean {
  return blocks && result.outcome !== "paused";
}

function nameOf({ service, provider }: PlanAction["instance"], actions: readonly PlanAction[]): string {
  const isSeveral = actions.filter((each) => each.instance.service === service).length > 1;
  return isSeveral ? `${service} on ${provider}` : service;
}

function skip(scope: ChangeScope, action: PlanAction, reason: string, because: string): ActionOutcome {
  scope.emitFor(action.instance, { type: "service.skipped", level: "warn", message: reason, data: { because } });
  return outcomeOf(skipped(action, reason));
}

function outcomeOf(result: DeploymentResult, isInterrupted = false): ActionOutcome {
  // Held for inspection is a failure to those who wait for it; held back from removal is none.
  const isFailedAndHeld = result.outcome === "held" && result.deployment !== undefined;
  return { result, blocks: isFailedAndHeld || blocking.includes(result.outcome), isInterrupted };
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
): Promise<ActionOutcome> {
  const begun = scope.core.clock.monotonic();
  const passive = passiveResult(action);
  if (passive !== undefined) return outcomeOf(passive);
  try {
    if (scope.signal.aborted) return outcomeOf(skipped(action, "interrupted before it was begun"), true);
    return outcomeOf(await act(action));
  } catch (error) {
    if (isInterruption(error))
      return outcomeOf(skipped(action, `interrupted: ${error.message}; the next command goes on from here`), true);
    const elapsedMs = Math.round(scope.core.clock.monotonic() - begun);
    const { deployment: _, ...result } = failedResult(action.instance, error, { deployment: "", elapsedMs });
    const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
    const message = result.reason ?? "failed";
    scope.emitFor(action.instance, {
      type: "service.done",
      level: "error",
      message,
      data: { outcome: "failed", elapsedMs, code: result.code, verdict: result.verdict, hint },
    });
    return outcomeOf(result);
  }
}

/** Of an action that is not carried out. */
export function idleResult(action: PlanAction): DeploymentResult {
  return passiveResult(action) ?? { ...plainResult(action, "unchanged"), reason: action.summary };
}

/** Of an action that does nothing; undefined of one that does. */
function passiveResult(action: PlanAction): DeploymentResult | undefined {
  const serving = action.from === undefined ? {} : { serving: action.from };
  if (action.kind === "keep") return { ...plainResult(action, "unchanged"), ...serving };
  if (action.kind === "pause") return { ...plainResult(action, "paused"), ...serving, reason: action.summary };
  if (action.kind === "hold") return { ...plainResult(action, "held"), ...serving, reason: action.summary };
  if (action.kind === "unreachable")
    return { ...plainResult(action, "unreachable"), reason: action.summary, ...action.problem };
  return undefined;
}

async function dispatch(
  scope: ChangeScope,
  action: PlanAction,
  input: ExecuteParts,
  hold: Hold,
): Promise<DeploymentResult> {
  const known = input.known.get(action.key) ?? { instance: action.instance, releases: [] };
  switch (action.kind) {
    case "remove":
      return removeInstance(scope, action, known, { volumes: input.volumes });
    case "revert":
      return revertThenDeploy(scope, action, known, input, hold);
    case "create":
    case "update":
    case "configure":
    case "resume":
      return deployWanted(scope, action, known, input, hold);
    default:
      throw new Error(`${action.kind} is not carried out`);
  }
}

async function deployWanted(
  scope: ChangeScope,
  action: PlanAction,
  known: KnownInstance,
  input: ExecuteParts,
  hold: Hold,
): Promise<DeploymentResult> {
  const desired = input.desired.get(action.key);
  if (desired === undefined) throw new Error(`nothing is declared for ${action.key}`);
  const givers = (action.takesOver ?? []).flatMap((key) => input.known.get(key) ?? []);
  return deployInstance(scope, action, desired, known, {
    builds: input.builds,
    ...(hold === undefined ? {} : { hold }),
    ...(givers.length === 0 ? {} : { handOver: handOver(scope, action, givers) }),
  });
}

async function revertThenDeploy(
  scope: ChangeScope,
  action: PlanAction,
  known: KnownInstance,
  input: ExecuteParts,
  hold: Hold,
): Promise<DeploymentResult> {
  const { unfinished: _unfinished, ...settled } = known;
  const lost = await lostWayBack(scope, known);
  if (lost !== undefined) {
    // A deploy ends what it finds, whatever that is: only the old release does not serve in between.
    const message = `${lost}: what was begun is replaced without going back first`;
    scope.emitFor(action.instance, { type: "diagnostic", level: "warn", message });
    return deployWanted(scope, action, settled, input, hold);
  }
  const reverted = await revertInstance(scope, known);
  if (reverted.outcome !== "reverted") return reverted;
  const { observed: _observed, ...rest } = settled;
  const status =
    reverted.serving === undefined
      ? undefined
      : await scope.provider(action.instance).status({ instance: action.instance }, scope.readContext());
  const desired = input.desired.get(action.key);
  const served = isAsSettled(status?.state) ? status?.settled : undefined;
  if (served !== undefined && served.specHash === desired?.specHash) {
    return { ...reverted, outcome: "succeeded" };
  }
  return deployWanted(scope, action, { ...rest, ...(status === undefined ? {} : { observed: status }) }, input, hold);
}
