import type { Change, Event, Run } from "@ctrlplane/core";
import { exit } from "./exit-code.ts";
import { ChangeReport, type ChangeView } from "./output/change.ts";
import { sourceReader } from "./output/source.ts";
import type { Session } from "./session.ts";
import { isTimeout } from "./signals.ts";

/** How often a service that takes long is heard of. */
const heartbeatMs = 10_000;

/** Begins a change; hands each event to `onEvent` as it comes, also those before the change is on record. */
export type Start = (options: { readonly onEvent: (event: Event) => void }) => Promise<Run<Change>>;

/** Shows a change as it goes on, and how it ended: events as JSON lines, or text. Returns the change's exit code. */
export async function follow(session: Session, command: string, start: Start): Promise<number> {
  const change = await followChange(session, command, start);
  return change.result?.exitCode ?? exit.error;
}

/** As `follow`, for those who need the change itself. */
export function followChange(session: Session, command: string, start: Start): Promise<Change> {
  return session.output.json ? stream(session, start) : show(session, command, start);
}

async function stream({ output }: Session, start: Start): Promise<Change> {
  const run = await start({ onEvent: (event) => output.jsonLine(event) });
  return run.done;
}

async function show(session: Session, command: string, start: Start): Promise<Change> {
  const { output, signal } = session;
  const report = new ChangeReport(changeView(session, command));
  const print = (lines: readonly string[]): void => output.lines(output.quiet ? [] : lines);
  const timer = setInterval(() => print(report.heartbeat(Date.now(), heartbeatMs)), heartbeatMs);
  try {
    const run = await start({ onEvent: (event) => print(report.render(event)) });
    const change = await run.done;
    const end = report.end(change, signal.aborted && isTimeout(signal.reason));
    output.lines(output.quiet && end[0] === "" ? end.slice(1) : end);
    return change;
  } finally {
    clearInterval(timer);
  }
}

/** What rendering a change needs of a session. */
export function changeView({ invocation, stack, output, next }: Session, command: string): ChangeView {
  const locate = (service: string): string | undefined => {
    const place = stack.locate(`services.${service}`);
    if (place === undefined) return undefined;
    const at = place.range === undefined ? "" : `:${place.range.start.line}:${place.range.start.column}`;
    return `${place.path}${at}`;
  };
  return {
    paint: output.paint,
    next,
    locate,
    readSource: sourceReader(),
    services: Object.keys(stack.services),
    command,
    takesData: invocation.flag("volumes"),
  };
}
