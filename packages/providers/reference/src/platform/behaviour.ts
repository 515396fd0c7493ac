import type { Replica, Verdict } from "@ctrlplane/core/provider";
import type { ReplicaRecord } from "../protocol.ts";

/**
 * How a replica behaves, as the text of its image says: `ok`, `slow:MS` (ready after that), `crash` or `crash:CODE` (ends at once),
 * `dies:MS` (ready, and ends after that), `unhealthy`, `noport` (neither gets ready), `badimage` (cannot be
 * created); for jobs `done:MS` (ends with 0 after that) and `lost:MS` (ends, and nobody sees how). What follows a `#` makes another image of the same behaviour. Any other text behaves like `ok`.
 */
export interface Behaviour {
  readonly kind: "runs" | "lost" | "crash" | "unhealthy" | "noport" | "badimage";
  /** From start to readiness; absent where it never gets ready. */
  readonly readyMs?: number;
  /** From start to its own end. */
  readonly endsMs?: number;
  readonly exitCode: number;
}

export function behaviourOf(image: string): Behaviour {
  const [kind, argument] = (image.split("#")[0] ?? "").split(":");
  const number = argument === undefined || argument === "" ? undefined : Number(argument);
  if (kind === "crash") return { kind, endsMs: 0, exitCode: number ?? 1 };
  if (kind === "unhealthy" || kind === "noport" || kind === "badimage") return { kind, exitCode: 0 };
  if (kind === "slow") return { kind: "runs", readyMs: number ?? 1_000, exitCode: 0 };
  if (kind === "done") return { kind: "runs", endsMs: number ?? 0, exitCode: 0 };
  if (kind === "lost") return { kind, endsMs: number ?? 0, exitCode: 0 };
  if (kind === "dies") return { kind: "runs", readyMs: 0, endsMs: number ?? 1_000, exitCode: 1 };
  return { kind: "runs", readyMs: 0, exitCode: 0 };
}

export interface Phase {
  readonly state: Replica["state"];
  readonly readyForMs?: number;
  readonly exitCode?: number;
  /** Milliseconds until it changes by itself. */
  readonly changesInMs?: number;
}

/** What a replica is doing at a moment: a function of its record, so that it goes on while the platform restarts. */
export function phaseOf(replica: ReplicaRecord, now: number): Phase {
  if (replica.stopped || replica.startedAt === undefined) return { state: "stopped" };
  const { kind, readyMs, endsMs, exitCode } = behaviourOf(replica.behaviour);
  if (replica.brokenAt !== undefined) return { state: "exited", exitCode: 137 };
  const age = now - replica.startedAt;
  if (endsMs !== undefined && age >= endsMs) return { state: "exited", exitCode };
  const untilEnd = endsMs === undefined ? {} : { changesInMs: endsMs - age };
  if (readyMs === undefined) return { state: kind === "unhealthy" ? "unhealthy" : "starting", ...untilEnd };
  if (age >= readyMs) return { state: "ready", readyForMs: age - readyMs, ...untilEnd };
  return { state: "starting", changesInMs: readyMs - age };
}

/** What is said of a replica that did not get ready. */
export function verdictOf(replica: ReplicaRecord, phase: Phase): Verdict {
  if (phase.state === "exited" || phase.state === "stopped") return "EXITED";
  const { kind } = behaviourOf(replica.behaviour);
  if (kind === "unhealthy") return "UNHEALTHY";
  return kind === "noport" ? "PORT_CLOSED" : "START_TIMEOUT";
}
