import type { Event } from "@ctrlplane/core";
import { failureOf, number, text } from "./event-data.ts";
import type { ServiceFailure } from "./failure-block.ts";
import type { Paint, Tone } from "./paint.ts";
import { elapsed } from "./time.ts";

/** Where the times stand, counted from the end of the names. */
const messageWidth = 40;

interface Work {
  /** As its line begins. */
  readonly name: string;
  readonly startedMs: number;
  last: string;
}

/** With these something is at work; an image that is fetched is heard of before its service begins. */
const begins: ReadonlySet<Event["type"]> = new Set(["service.started", "build.started", "build.progress"]);

/** Turns the events of a change into lines as they come: append-only, one line for each thing that ended. */
export class Progress {
  readonly #paint: Paint;
  readonly #nameWidth: number;
  /** By `#keyOf`. */
  readonly #work = new Map<string, Work>();
  readonly #failures = new Map<string, ServiceFailure>();
  /** What clients met meanwhile, by service, until its end is told. */
  readonly #traffic = new Map<string, string>();
  /** Releases that traffic was sent to. */
  readonly #routed = new Set<string>();
  readonly #locate: (service: string) => string | undefined;
  /** Services that stand on several providers in this change. */
  readonly #several: ReadonlySet<string>;

  /** `locate` gives the position of a service in the file, e.g. `pctl.yaml:21:3`; `several` are named with their providers. */
  constructor(
    paint: Paint,
    nameWidth: number,
    locate: (service: string) => string | undefined,
    several: ReadonlySet<string> = new Set(),
  ) {
    this.#several = several;
    this.#paint = paint;
    this.#nameWidth = nameWidth;
    this.#locate = locate;
  }

  /** Services that failed so far. */
  get failures(): readonly ServiceFailure[] {
    return [...this.#failures.values()];
  }

  render(event: Event): string[] {
    this.#remember(event);
    const name = this.#nameOf(event) ?? "";
    switch (event.type) {
      case "build.done":
        return [this.#line("good", "✓", "build", event)];
      case "build.failed":
        return [this.#line("bad", "✗", "build", event)];
      case "service.done":
        return [...this.#done(event), ...this.#trafficOf(name)];
      case "service.paused":
        return [this.#line("warn", "!", name, event), ...this.#trafficOf(name)];
      case "service.reverting":
        return [this.#line("bad", "✗", name, event)];
      case "service.moved":
        return [this.#columns("warn", "!", name, event.message, undefined)];
      case "service.skipped":
        return [this.#line("warn", "-", name, event)];
      case "lease.waiting":
        return [`  ${this.#paint("warn", "…")} ${event.message}`];
      default:
        return [];
    }
  }

  /** One line for each service that has been at work for `afterMs`: what it waits for. */
  heartbeat(nowMs: number, afterMs: number): string[] {
    return [...this.#work.values()]
      .filter((work) => nowMs - work.startedMs >= afterMs)
      .map((work) => this.#columns("dim", "…", work.name, work.last, nowMs - work.startedMs));
  }

  /** A build is work of its own; what comes of an image without one is the service's. */
  #keyOf(event: Event): string | undefined {
    const name = this.#nameOf(event);
    if (!event.type.startsWith("build.") || name === undefined) return name;
    const build = `build for ${event.provider ?? ""} ${name}`;
    return event.type === "build.progress" && !this.#work.has(build) ? name : build;
  }

  #nameOf({ service, provider }: Event): string | undefined {
    return service !== undefined && provider !== undefined && this.#several.has(service)
      ? `${service}@${provider}`
      : service;
  }

  #done(event: Event): string[] {
    const name = this.#nameOf(event) ?? "";
    if (event.level === "warn") return [this.#line("warn", "!", name, event)];
    if (event.level !== "error") return [this.#line("good", "✓", name, event)];
    const failure = failureOf(event);
    const verdict = failure?.verdict ?? failure?.code;
    const release = event.release === undefined ? "" : `release ${event.release}: `;
    const failed = this.#line(
      "bad",
      "✗",
      name,
      verdict === undefined ? event : { ...event, message: `${release}${verdict}` },
    );
    // A job's release before is done, and serves nothing.
    const isReverted = text(event.data, "outcome") === "reverted" && text(event.data, "kind") !== "job";
    return isReverted ? [failed, this.#reverted(name, event)] : [failed];
  }

  /** Nothing where nobody asked: a line says something. */
  #trafficOf(name: string): string[] {
    const told = this.#traffic.get(name);
    this.#traffic.delete(name);
    return told === undefined ? [] : [told];
  }

  #reverted(name: string, event: Event): string {
    if (event.data["isBegun"] === false) return this.#columns("good", "✓", name, notBegun(event), undefined);
    const serving = number(event.data, "serving");
    if (event.data["servesLegacy"] === true)
      return this.#columns("good", "✓", name, "what pctl 1.1 made serves again", undefined);
    if (serving === undefined) return this.#columns("dim", "-", name, "removed again; its logs are kept", undefined);
    const wasRouted = event.release === undefined || this.#routed.has(`${name} ${event.release}`);
    const traffic = wasRouted ? "" : `; release ${event.release} got no traffic`;
    return this.#columns("good", "✓", name, `release ${serving} serves${traffic}`, undefined);
  }

  #line(tone: Tone, sign: string, name: string, event: Event): string {
    const key = this.#keyOf(event) ?? name;
    const started = this.#work.get(key)?.startedMs;
    const ms = number(event.data, "elapsedMs") ?? (started === undefined ? undefined : Date.parse(event.at) - started);
    if (event.type === "service.done" || event.type === "build.done" || event.type === "build.failed")
      this.#work.delete(key);
    return this.#columns(tone, sign, name, event.message, event.type === "service.skipped" ? undefined : ms);
  }

  #columns(tone: Tone, sign: string, name: string, message: string, ms: number | undefined): string {
    const left = `  ${this.#paint(tone, sign)} ${name.padEnd(this.#nameWidth)}`;
    if (ms === undefined) return `${left}${message}`;
    return `${left}${message.padEnd(messageWidth)}  ${this.#paint("dim", elapsed(ms).padStart(8))}`;
  }

  #remember(event: Event): void {
    const name = this.#nameOf(event);
    const key = this.#keyOf(event);
    if (name !== undefined && key !== undefined) {
      const work = this.#work.get(key);
      const last = event.replica === undefined ? event.message : `${event.replica} ${event.message}`;
      if (work !== undefined) work.last = last;
      else if (begins.has(event.type)) {
        const isBuild = event.type === "build.started";
        this.#work.set(key, { name: isBuild ? "build" : name, startedMs: Date.parse(event.at), last });
      }
    }
    if (event.type === "service.traffic" && name !== undefined && (number(event.data, "requests") ?? 0) > 0) {
      const isWhole = number(event.data, "failed") === 0;
      const line = this.#columns(isWhole ? "dim" : "warn", isWhole ? "·" : "!", name, event.message, undefined);
      this.#traffic.set(name, line);
    }
    if (event.type === "replica.routed") this.#routed.add(`${this.#nameOf(event) ?? ""} ${event.release ?? ""}`);
    // A failed build is told again with its service, and with what became of that.
    if (event.level === "error" && event.service !== undefined && event.type !== "build.failed")
      this.#rememberFailure(event, event.service);
  }

  /** The first one that says how a replica ended counts: what follows from it is told by the lines. */
  #rememberFailure(event: Event, service: string): void {
    const detail = failureOf(event);
    const key = this.#nameOf(event) ?? service;
    const known = this.#failures.get(key);
    if (known !== undefined && (known.detail.logTail !== undefined || detail?.logTail === undefined)) return;
    const position = this.#locate(service);
    const hint = text(event.data, "hint");
    const startedMs = this.#work.get(key)?.startedMs;
    const ms =
      number(event.data, "elapsedMs") ?? (startedMs === undefined ? undefined : Date.parse(event.at) - startedMs);
    this.#failures.set(key, {
      service,
      reason: event.message,
      detail: detail ?? {},
      ...(position === undefined ? {} : { position }),
      ...(event.provider === undefined ? {} : { provider: event.provider }),
      ...(event.release === undefined ? {} : { release: event.release }),
      ...(event.change === undefined ? {} : { change: event.change }),
      ...(hint === undefined ? {} : { hint }),
      ...(ms === undefined ? {} : { elapsedMs: ms }),
      ...(event.data["isBegun"] === false ? { isBegun: false } : {}),
    });
  }
}

function notBegun(event: Event): string {
  const serving = number(event.data, "serving");
  return serving === undefined ? "nothing of it was begun" : `release ${serving} serves; nothing was begun`;
}
