/** Names of events. Readers must accept names they do not know: the list only grows within version 1. */
export type EventType =
  | "change.started"
  | "plan.ready"
  | "lease.waiting"
  | "build.started"
  | "build.progress"
  | "build.done"
  | "build.failed"
  | "service.started"
  | "service.done"
  | "service.paused"
  | "service.reverting"
  | "service.skipped"
  | "service.traffic"
  | "replica.created"
  | "replica.ready"
  | "replica.routed"
  | "replica.draining"
  | "replica.stopped"
  | "replica.failed"
  | "diagnostic"
  | "service.moved"
  | "result";

/** One event of a change; `seq` has no gaps, so a reader can resume, and the last event is always `result`. Secrets are masked. */
export interface Event {
  readonly v: 1;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly type: EventType;
  readonly level: "info" | "warn" | "error";
  readonly stack: string;
  readonly env?: string;
  readonly change?: number;
  readonly service?: string;
  readonly instance?: string;
  readonly deployment?: string;
  readonly provider?: string;
  readonly release?: number;
  readonly replica?: string;
  /** One short sentence for people. */
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a producer of events gives; the stream fills in the rest. */
export type EventInput = Omit<Event, "v" | "seq" | "at" | "level" | "data" | "stack"> &
  Partial<Pick<Event, "level" | "data">>;
