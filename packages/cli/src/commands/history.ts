import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { changeView } from "../acting.ts";
import { exit } from "../exit-code.ts";
import { ChangeReport } from "../output/change.ts";
import { renderChangeHead, renderHistory } from "../output/history.ts";
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

async function list({ plane, stack, output, next }: Session, limit: number): Promise<void> {
  const [changes, releases] = await Promise.all([plane.stacks.history(stack, { limit }), plane.stacks.releases(stack)]);
  if (output.json) output.document({ stack: stack.name, changes, releases });
  else output.lines(renderHistory(changes, releases, { paint: output.paint, next, nowMs: Date.now() }));
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
}
