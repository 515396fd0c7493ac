import type { ErrorCode, Event, FailureDetail, Plan, Verdict } from "@ctrlplane/core";

// Readers of `Event.data`, which is open by design: what is not there, or is of another type, is undefined.

export function text(data: Event["data"], key: string): string | undefined {
  const value = data[key];
  return typeof value === "string" ? value : undefined;
}

export function number(data: Event["data"], key: string): number | undefined {
  const value = data[key];
  return typeof value === "number" ? value : undefined;
}

/** What an event says of a failure, either in its data or under `failure` in it. */
export function failureOf(event: Event): Partial<FailureDetail> | undefined {
  const nested = event.data["failure"];
  const data = isRecord(nested) ? nested : event.data;
  const verdict = text(data, "verdict");
  // A diagnostic has a code of its own.
  const code = event.type === "diagnostic" ? undefined : text(data, "code");
  if (verdict === undefined && code === undefined) return undefined;
  const tail = data["logTail"];
  const exitCode = number(data, "exitCode");
  const signal = text(data, "signal");
  const starts = number(data, "starts");
  const replica = event.replica ?? text(data, "replica");
  return {
    // The lists only grow; an unknown word is shown like a known one.
    ...(verdict === undefined ? {} : { verdict: verdict as Verdict }),
    ...(code === undefined ? {} : { code: code as ErrorCode }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(starts === undefined ? {} : { starts }),
    ...(replica === undefined ? {} : { replica }),
    ...(Array.isArray(tail) ? { logTail: tail.map(String) } : {}),
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The plan that `plan.ready` carries. */
export function planOf(event: Event): Plan | undefined {
  const { plan } = event.data;
  // The engine's own plan, put there whole; only its presence is uncertain.
  return isRecord(plan) && Array.isArray(plan["actions"]) ? (plan as unknown as Plan) : undefined;
}
