import type { ReplicaCount } from "@ctrlplane/core";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; a number without a unit counts seconds, as in `pctl.yaml`. Undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const unit = unitMs[match?.[2] ?? "s"];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** ISO 8601 from a moment (`2026-11-22T03:00`) or an age (`5m`); undefined where it is neither. */
export function parseSince(text: string, nowMs: number): string | undefined {
  const age = parseDuration(text);
  if (age !== undefined) return new Date(nowMs - age).toISOString();
  const moment = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(moment) ? undefined : new Date(moment).toISOString();
}

/** `3`, or a range `2..10`; undefined where it is neither. */
export function parseReplicas(text: string): ReplicaCount | undefined {
  const match = /^(\d{1,6})(?:\.\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const min = Number(match[1]);
  if (match[2] === undefined) return min;
  const max = Number(match[2]);
  return max >= 1 && min <= max ? { min, max } : undefined;
}
