import type { Change, ProviderStatus } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { changeView } from "../acting.ts";
import { exit } from "../exit-code.ts";
import { ChangeReport } from "../output/change.ts";
import {
  renderChangeHead,
  renderHistory,
  renderOutOfReach,
  renderUnfinished,
  type HistoryView,
} from "../output/history.ts";
import { withSession, type Session } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  const [word] = invocation.positionals;
  const number = word === undefined ? undefined : Number(word.replace(/^#/, ""));
  if (number !== undefined && (!Number.isSafeInteger(number) || number < 1)) {
    throw new UsageError(`'${word ?? ""}' is no number of a change`, "pctl history lists them.");
  }
  const limit = invocation.integer("limit", 1) ?? 20;
  return withSession(invocation, { load: "operate", isChange: false }, async (session) => {
    if (number === undefined) return list(session, limit);
    await show(session, number);
    return exit.done;
  });
}

async function list(session: Session, limit: number): Promise<number> {
  const { plane, stack, output } = session;
  const [changes, releases, beyond] = await Promise.all([
    plane.stacks.history(stack, { limit }),
    plane.stacks.releases(stack),
    outOfReach(session),
  ]);
  if (output.json) {
    const unreachable = beyond.map(({ name, problem }) => ({ provider: name, ...problem }));
    output.document({ stack: stack.name, changes, releases, ...(beyond.length === 0 ? {} : { unreachable }) });
  } else {
    const view = await viewOf(session, changes);
    output.lines([...renderHistory(changes, releases, view), ...renderOutOfReach(beyond, view)]);
  }
  return beyond.length === 0 ? exit.done : exit.attention;
}

/** Of several providers those whose history cannot be read; where there is one alone, reading it has failed already. */
async function outOfReach({ plane, stack }: Session): Promise<ProviderStatus[]> {
  if (Object.keys(stack.providers).length <= 1) return [];
  return (await plane.stacks.providers(stack)).filter((each) => each.problem !== undefined);
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
