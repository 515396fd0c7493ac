import { setTimeout as sleep } from "node:timers/promises";
import type { Change, DeploymentResult } from "@ctrlplane/core";
import { followChange, type Start } from "./acting.ts";
import { exit } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** How often what is paused is looked at: a replica that ends there is not left until its time is over. */
const lookMs = 5_000;

type Paused = DeploymentResult & { readonly deployment: string };

/**
 * Shows a change, and where it ends paused for a time waits for that, without the lease, and goes on with `goOn`; so until nothing is
 * paused, or waits for a person. Whoever promotes or aborts it meanwhile has decided: then nothing more is done here. Interrupted
 * while it waits, all stays paused. Returns the last change's exit code.
 */
export async function followThroughPauses(
  session: Session,
  command: string,
  start: Start,
  goOn: (paused: readonly Paused[]) => Start,
): Promise<number> {
  let change = await followChange(session, command, start);
  for (;;) {
    const code = change.result?.exitCode ?? exit.error;
    const paused = pausedForATime(change);
    if (paused.length === 0) return code;
    const end = await waitFor(session, paused);
    if (end === "interrupted") return exit.interrupted;
    if (end === "decided") return code;
    change = await followChange(session, command, goOn(paused));
  }
}

/** Empty where something else needs a person first. */
function pausedForATime(change: Change): Paused[] {
  const services = change.result?.services ?? [];
  const paused = services.filter(
    (each): each is Paused =>
      each.outcome === "paused" && each.paused?.until !== undefined && each.deployment !== undefined,
  );
  const isElse = services.some(
    (each) =>
      !paused.some((other) => other === each) &&
      ["paused", "failed", "reverted", "held", "unreachable"].includes(each.outcome),
  );
  return isElse ? [] : paused;
}

/** Until the first of them may go on, or cannot any more. */
async function waitFor(session: Session, paused: readonly Paused[]): Promise<"over" | "decided" | "interrupted"> {
  const { output, plane, stack, signal } = session;
  const until = Math.min(...paused.map((each) => Date.parse(each.paused?.until ?? "")));
  const names = paused.map((each) => each.service);
  const clock = new Date(until).toISOString().slice(11, 19);
  if (!output.json)
    output.lines([
      `Waits until ${clock} UTC without the lease, then goes on. Ctrl-C leaves ${names.join(", ")} paused.`,
    ]);
  while (Date.now() < until) {
    try {
      await sleep(Math.min(lookMs, until - Date.now()), undefined, { signal });
    } catch (error) {
      if (signal.aborted) return "interrupted";
      throw error;
    }
    const { services } = await plane.stacks.status(stack, names);
    const left = services.filter((each) => paused.some(({ deployment }) => each.unfinished?.deployment === deployment));
    if (left.length < paused.length || left.some((each) => each.unfinished?.pause === undefined)) {
      if (!output.json)
        output.lines([`${names.join(", ")}: promoted or aborted meanwhile; ${session.next("history")} shows by whom.`]);
      return "decided";
    }
    if (left.some((each) => each.unfinished?.pause?.isWhole === false)) return "over";
  }
  return "over";
}
