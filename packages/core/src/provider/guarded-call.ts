import { CtrlPlaneError } from "../errors/error.ts";
import type { Redactor } from "../errors/redaction.ts";
import type { RolloutJournal } from "../rollout/journal.ts";
import { withSignal } from "../rollout/with-signal.ts";
import type { ProviderContext } from "./context.ts";
import { redactData, redactFailure, toProviderError, type ErrorOrigin } from "./redact-error.ts";
import type { ExecSession, LogLine } from "./requests.ts";

export function refuseAborted(context: ProviderContext, provider: string): void {
  if (!context.signal.aborted) return;
  throw new CtrlPlaneError("CANCELLED", "cancelled before the call was made", {
    provider,
    cause: context.signal.reason,
  });
}

/** The context as the provider gets it: what it tells passes the redactor. */
export function guardContext(context: ProviderContext, redactor: Redactor): ProviderContext {
  // Data in the shape that it came in: redaction changes texts alone.
  const redact = <Data>(data: Data): Data => redactData(data, redactor) as Data;
  return {
    signal: context.signal,
    clock: context.clock,
    log: {
      debug: (message, data) => context.log.debug(redactor.redact(message), redact(data)),
      warn: (message, data) => context.log.warn(redactor.redact(message), redact(data)),
    },
    progress: (progress) => context.progress(redact(progress)),
    fence: context.fence,
    sealer: context.sealer,
  };
}

/** The call, aborted and given up on after `timeoutMs`; without a time-out as long as it takes. */
export async function callWithin<Result>(
  timeoutMs: number | undefined,
  of: { readonly method: string; readonly provider: string },
  context: ProviderContext,
  call: (context: ProviderContext) => Promise<Result>,
): Promise<Result> {
  if (timeoutMs === undefined) return call(context);
  const late = new AbortController();
  const over = new AbortController();
  const deadline = context.clock.sleep(timeoutMs, over.signal).then(
    () => {
      const error = new CtrlPlaneError(
        "TIMEOUT",
        `${of.provider} did not answer ${of.method} within ${timeoutMs / 1000} s`,
        {
          provider: of.provider,
          retryable: true,
          hint: "pctl doctor shows whether the platform can be reached",
        },
      );
      late.abort(error);
      throw error;
    },
    // The sleep ends early only because the call is over.
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([call(withSignal(context, late.signal)), deadline]);
  } catch (error) {
    // A provider that obeys the signal may throw its own way of saying so, first.
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    over.abort();
  }
}

/** Lines without secrets; what opening or reading throws is mapped. */
export async function* guardLines(origin: ErrorOrigin, open: () => AsyncIterable<LogLine>): AsyncGenerator<LogLine> {
  try {
    for await (const line of open()) yield { ...line, text: origin.redactor.redact(line.text) };
  } catch (error) {
    throw toProviderError(error, origin);
  }
}

export function guardSession(session: ExecSession, origin: ErrorOrigin): ExecSession {
  const exit = session.exit.catch((error: unknown) => {
    throw toProviderError(error, origin);
  });
  return {
    stdin: session.stdin,
    stdout: session.stdout,
    stderr: session.stderr,
    ...(session.handedOver === undefined ? {} : { handedOver: session.handedOver }),
    resize: (terminal) => session.resize(terminal),
    kill: (signal) => session.kill(signal),
    exit,
  };
}

/** A failure is recorded with its last log lines: they are stored, so no secret may be in them. */
export function withRedactedJournal<Request extends { readonly journal?: RolloutJournal }>(
  request: Request,
  redactor: Redactor,
): Request {
  const { journal } = request;
  if (journal === undefined) return request;
  return {
    ...request,
    journal: {
      get decisions() {
        return journal.decisions;
      },
      decide: (decision) =>
        journal.decide(
          decision.kind === "revert" && decision.failure !== undefined
            ? { ...decision, failure: redactFailure(decision.failure, redactor) }
            : decision,
        ),
    },
  };
}
