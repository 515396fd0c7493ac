import type { DeploymentResult } from "../model/change.ts";
import type { PlanAction } from "../model/plan.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ChangeScope } from "./change-scope.ts";
import { failedResult, isInterruption } from "./outcome.ts";
import { lostWayBack, revertInstance } from "./revert-instance.ts";
import { runGraph } from "./run-graph.ts";

/** What succeeded, or paused, while its group is not decided: its intent is still in the ledger. */
export interface Provisional {
  /** As it was before, with what was begun: all that the way back needs. */
  readonly known: KnownInstance;
  /** A job that completed is not run backwards. */
  readonly isJob: boolean;
  /** Ends it for good. */
  confirm(): Promise<void>;
  /** After it went back: whoever it took an address from serves again. */
  giveBack?(because: string): Promise<void>;
}

/** One action of a group, with what it came to. */
export interface Member {
  readonly action: PlanAction;
  readonly result: DeploymentResult;
  readonly provisional?: Provisional;
  readonly isFailed: boolean;
  /** The process was told to stop: what it came to is not known. */
  readonly isInterrupted: boolean;
}

/**
 * Decides a group once all its actions have ended: all are confirmed, or what succeeded is taken back. Where one was interrupted
 * nothing is decided, and the intents that stay lead the next command on. Does not reject; one result for each member.
 */
export async function decideGroup(scope: ChangeScope, members: readonly Member[]): Promise<DeploymentResult[]> {
  if (scope.signal.aborted || members.some((each) => each.isInterrupted)) return members.map(undecided);
  // Who failed by itself, before who only waited for it.
  const culprit =
    members.find((each) => each.isFailed && each.result.outcome !== "skipped") ?? members.find((each) => each.isFailed);
  if (culprit === undefined) return Promise.all(members.map((member) => attempt(scope, member, () => confirm(member))));
  return takeBack(scope, members, culprit);
}

function undecided({ result, provisional }: Member): DeploymentResult {
  if (provisional === undefined || result.outcome === "paused") return result;
  return {
    ...result,
    outcome: "skipped",
    reason: "serves, and is not decided: interrupted; the next command goes on from here",
  };
}

async function confirm({ result, provisional }: Member): Promise<DeploymentResult> {
  await provisional?.confirm();
  return result;
}

/** Every decision is written before the first effect; then back against the order of needs. */
async function takeBack(scope: ChangeScope, members: readonly Member[], culprit: Member): Promise<DeploymentResult[]> {
  const because = describe(culprit, members);
  const results = new Map(members.map((each) => [each.action.key, each.result]));
  const back: Member[] = [];
  for (const member of members) {
    if (member.provisional === undefined) continue;
    const stays = await attempt(scope, member, () => keepOrDecide(scope, member, because));
    if (stays === undefined) back.push(member);
    else results.set(member.action.key, stays);
  }
  const nodes = back.map((member) => ({
    member,
    key: member.action.key,
    after: back.filter(({ action }) => action.after.includes(member.action.key)).map(({ action }) => action.key),
    group: member.action.instance.provider,
  }));
  await runGraph(
    nodes,
    scope.core.parallel,
    async ({ member }) => {
      results.set(member.action.key, await attempt(scope, member, () => goBack(scope, member, because)));
      return { blocks: false };
    },
    () => ({ blocks: false }),
  );
  return members.map(({ action, result }) => results.get(action.key) ?? result);
}

/** What cannot go back is confirmed, and says so; undefined once the way back of the others is decided. */
async function keepOrDecide(
  scope: ChangeScope,
  member: Member,
  because: string,
): Promise<DeploymentResult | undefined> {
  const { action, result, provisional } = member;
  if (provisional === undefined) return undefined;
  const { known, isJob } = provisional;
  if (isJob) {
    await provisional.confirm();
    return { ...result, reason: `completed, and stays so although ${because} failed: jobs are not run backwards` };
  }
  const lost = (await lostWayBack(scope, known)) ?? unknownBefore(known);
  if (lost !== undefined) {
    await provisional.confirm();
    const reason = `${lost}: release ${result.serving ?? "?"} stays although ${because} failed`;
    scope.emitFor(action.instance, {
      type: "service.done",
      level: "error",
      message: reason,
      data: { outcome: "failed" },
    });
    return { ...result, outcome: "failed", reason };
  }
  const { ledger } = scope.platform(action.instance);
  const records = scope.recordContext(scope.platform(action.instance));
  await ledger.decide(action.instance.service, { kind: "revert", because }, records);
  return undefined;
}

/** Something ran there of which no release is on record: pctl 1.1's. */
function unknownBefore({ instance, observed, unfinished }: KnownInstance): string | undefined {
  const ran = observed?.revisions.some((each) => each.desired > 0) === true;
  return unfinished?.from === undefined && observed?.settled === undefined && ran
    ? `what ran as ${instance.service} before is not on record`
    : undefined;
}

async function goBack(scope: ChangeScope, member: Member, because: string): Promise<DeploymentResult> {
  const known = member.provisional?.known;
  if (known === undefined) return member.result;
  const reverted = await revertInstance(scope, known, because);
  if (reverted.outcome !== "reverted") return reverted;
  await member.provisional?.giveBack?.(because);
  const serving = known.unfinished?.from;
  const reason =
    serving === undefined ? `removed again because of ${because}; its logs are kept` : `reverted because of ${because}`;
  return { ...reverted, because, reason, ...(serving === undefined ? {} : { serving }) };
}

async function attempt<R extends DeploymentResult | undefined>(
  scope: ChangeScope,
  { action, result }: Member,
  act: () => Promise<R>,
): Promise<R | DeploymentResult> {
  try {
    return await act();
  } catch (error) {
    if (isInterruption(error)) {
      const reason = `interrupted: ${error.message}; the next command goes on from here`;
      return { ...result, outcome: "skipped", reason };
    }
    const failed = failedResult(action.instance, error, {
      deployment: result.deployment ?? "",
      elapsedMs: result.elapsedMs,
    });
    const message = failed.reason ?? "failed";
    scope.emitFor(action.instance, { type: "service.done", level: "error", message, data: { outcome: "failed" } });
    return { ...failed, outcome: "failed" };
  }
}

/** `web`, or `web on b` where the service is in the group more than once. */
function describe({ action }: Member, members: readonly Member[]): string {
  const { service, provider } = action.instance;
  const isSeveral = members.filter((each) => each.action.instance.service === service).length > 1;
  return isSeveral ? `${service} on ${provider}` : service;
}
