import type { Change } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { changeView } from "../acting.ts";
import { exit } from "../exit-code.ts";
import { ChangeReport } from "../output/change.ts";
import { renderChangeHead, renderHistory, renderUnfinished, type HistoryView } from "../output/history.ts";
import { withSession, type Session } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  const [word] = invocation.positionals;
  const number = word === undefined ? undefined : Number(word.replace(/^#/, ""));
  if (number !== undefined && (!Number.isSafeInteger(number) || number < 1)) {
    throw new UsageError(`'${word ?? ""}' is no number of a change`, "pctl history lists them.");
  }
  const limit = invocation.integer("limit", 1) ?? 20;
  return withSession(invocation, { load: "operate", isChange: false }, async (session) => {
    await (number === undefined ? list(session, limit) : show(session, number));
    return exit.done;
  });
}

async function list(session: Session, limit: number): Promise<void> {
  const { plane, stack, output } = session;
  const [changes, releases] = await Promise.all([plane.stacks.history(stack, { limit }), plane.stacks.releases(stack)]);
  if (output.json) output.document({ stack: stack.name, changes, releases });
  else output.lines(renderHistory(changes, releases, await viewOf(session, changes)));
}

async function show(session: Session, number: number): Promise<void> {
  const { plane, stack, output } = session;
  const change = await plane.stacks.change(stack, number);
  if (output.json) {
    output.document(change);
    return;
  }
  const report = new ChangeReport(changeView(session, change.command));
  output.lines([...renderChangeHead(change, output.paint), ""]);
  output.lines(change.events.flatMap((event) => report.render(event)));
  output.lines(report.end(change));
  if (change.result !== undefined) return;
  const view = await viewOf(session, [change]);
  output.lines(renderUnfinished(change, change.number === view.running, view));
}

/** A change without a result goes on now if it is the last one, and somebody holds the lease. */
async function viewOf({ plane, stack, output, next }: Session, changes: readonly Change[]): Promise<HistoryView> {
  const view: HistoryView = { paint: output.paint, next, nowMs: Date.now() };
  if (changes.every((each) => each.result !== undefined)) return view;
  const { lease, lastChange } = await plane.stacks.status(stack);
  return lease === undefined || lastChange === undefined ? view : { ...view, running: lastChange.number };
}
