import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { inspect, wasStarted, wasStopped } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";
import type { Prober } from "./prober.ts";
import { endedBy, failed, fromOutside } from "./verdicts.ts";
import { watching, type WatchParts } from "./watched-container.ts";

/** A service without ports and without health has passed when it has lived this long. */
const aliveMs = 5000;
const pollMs = 50;
const longestPollMs = 500;
/** A service that ends this often before its gate is not waited for any longer. */
const endsOfCrashLoop = 2;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What a replica has to pass. */
interface Gate {
  readonly release: Release;
  readonly timeoutMs: number;
  /** Absent: the engine's own check, or that it lives. */
  readonly probe: Prober | undefined;
}

/** Throws `NOT_FOUND` for a replica that is gone. */
export async function requireContainer(
  engine: EngineClient,
  replica: Named,
  signal: AbortSignal,
): Promise<ContainerDetails> {
  return unlessGone(await inspect(engine, replica.id, signal), replica);
}

/** Resolves with the start that passed its gate. Throws `FAILED` as soon as it cannot, at the latest after `timeoutMs`. */
export function waitReady(
  parts: WatchParts,
  replica: Named,
  { release, timeoutMs, probe }: Gate,
  context: ProviderContext,
): Promise<{ readonly startedAt: string }> {
  const { engine } = parts;
  const { clock } = context;
  const until = clock.monotonic() + timeoutMs;
  const watch = new Watch(probe);
  return watching(parts, replica.id, context, async (container) => {
    for (let waitMs = pollMs; ; waitMs = Math.min(longestPollMs, waitMs * 1.3)) {
      const isLast = clock.monotonic() >= until;
      const details = unlessGone(await (isLast ? container.ask() : container.look()), replica);
      const seen = await watch.look(details, clock.monotonic(), container.changed);
      if (seen === "ready" && (await container.isStill(details))) return { startedAt: details.State.StartedAt };
      if (seen === "ended") throw await endedBy(engine, details, watch.isLoop(details));
      if (seen === "unhealthy")
        throw await failed(engine, details, "UNHEALTHY", `its health check failed: ${watch.problem}`);
      const left = until - clock.monotonic();
      if (left <= 0) throw await timedOut(engine, details, release, timeoutMs, watch.problem);
      if (seen === "waiting") await container.rest(Math.min(left, waitMs));
    }
  });
}

/** Resolves when it has been ready for `ms`; throws `FAILED` as soon as it ended, restarted or lost its health. */
export function outlive(parts: WatchParts, replica: Named, ms: number, context: ProviderContext): Promise<void> {
  const { engine } = parts;
  const { clock } = context;
  return watching(parts, replica.id, context, async (container) => {
    // Where somebody removed it, that says nothing against the release.
    const first = unlessGone(await container.ask(), replica);
    const until = clock.monotonic() + ms;
    for (;;) {
      const isLast = clock.monotonic() >= until;
      const details = unlessGone(await (isLast ? container.ask() : container.look()), replica);
      const { State } = details;
      const ended = endSince(first, details);
      if (ended === "by itself")
        throw await failed(engine, details, State.OOMKilled ? "OOM" : "EXITED", "ended after it had become ready");
      if (ended !== undefined) throw fromOutside(details, ended);
      if (State.Health?.Status === "unhealthy") throw await failed(engine, details, "UNHEALTHY", "lost its health");
      if (isLast) return;
      await container.rest(Math.min(until - clock.monotonic(), longestPollMs));
    }
  });
}

/** How it ended since it was seen first; undefined where it lives on. The engine counts its own restarts, and none that others wanted. */
function endSince(
  first: ContainerDetails,
  now: ContainerDetails,
): "by itself" | "stopped" | "started again" | undefined {
  const { State, RestartCount } = now;
  if (!State.Running) return wasStopped(now) && !State.OOMKilled ? "stopped" : "by itself";
  // One that is just being started again was counted when it ended, before it has another start.
  const isRestarting = [first, now].some((each) => each.State.Status === "restarting");
  if (isRestarting || RestartCount > first.RestartCount) return "by itself";
  return State.StartedAt === first.State.StartedAt ? undefined : "started again";
}

/** Throws `NOT_FOUND` for a replica that is gone. */
export function unlessGone(details: ContainerDetails | undefined, { name }: Named): ContainerDetails {
  if (details !== undefined) return details;
  throw new CtrlPlaneError("NOT_FOUND", `${name} is gone`, {
    target: name,
    hint: "Somebody removed it. Run the same command again: it is made anew.",
  });
}

/** What is seen of a replica from look to look. */
class Watch {
  problem = "no answer";
  readonly #probe: Prober | undefined;
  #aliveSince: { readonly start: string; readonly at: number } | undefined;

  constructor(probe: Prober | undefined) {
    this.#probe = probe;
  }

  /** `enough`: ends the asking from outside, which may take long. */
  async look(
    details: ContainerDetails,
    now: number,
    enough: AbortSignal,
  ): Promise<"ready" | "waiting" | "ended" | "unhealthy"> {
    const { State, RestartCount } = details;
    const isUp = State.Running && State.Status === "running" && wasStarted(State);
    // One that the engine starts again is never seen as exited.
    if (RestartCount >= endsOfCrashLoop || State.Status === "exited" || State.Status === "dead") return "ended";
    if (!isUp) return "waiting";
    if (State.Health !== undefined && State.Health.Status !== "none") return this.#lookAtHealth(State.Health);
    return this.#lookFromOutside(details, now, enough);
  }

  isLoop({ RestartCount, State }: ContainerDetails): boolean {
    return RestartCount >= endsOfCrashLoop && State.ExitCode !== 0;
  }

  #lookAtHealth(health: NonNullable<ContainerDetails["State"]["Health"]>): "ready" | "waiting" | "unhealthy" {
    const last = health.Log?.at(-1);
    if (last !== undefined && last.ExitCode !== 0)
      this.problem = last.Output.trim() === "" ? `it ended with ${last.ExitCode}` : last.Output.trim();
    if (health.Status === "healthy") return "ready";
    return health.Status === "unhealthy" ? "unhealthy" : "waiting";
  }

  async #lookFromOutside(details: ContainerDetails, now: number, enough: AbortSignal): Promise<"ready" | "waiting"> {
    if (this.#probe !== undefined) {
      const problem = await this.#probe(details, enough);
      if (problem !== undefined) this.problem = problem;
      return problem === undefined ? "ready" : "waiting";
    }
    const start = details.State.StartedAt;
    if (this.#aliveSince?.start !== start) this.#aliveSince = { start, at: now };
    return now - this.#aliveSince.at >= aliveMs ? "ready" : "waiting";
  }
}

function timedOut(
  engine: EngineClient,
  details: ContainerDetails,
  release: Release,
  timeoutMs: number,
  problem: string,
): Promise<CtrlPlaneError> {
  const within = `within ${Math.round(timeoutMs / 100) / 10} s`;
  if (!details.State.Running) return endedBy(engine, details, false);
  const { health } = release.spec;
  if (health !== undefined) return failed(engine, details, "UNHEALTHY", `not healthy ${within}: ${problem}`);
  const port = release.revision.ports[0];
  if (port === undefined) return failed(engine, details, "START_TIMEOUT", `was not ready ${within}`);
  return failed(engine, details, "PORT_CLOSED", `port ${port.containerPort} did not open ${within}`, {
    hint: "It has to listen on all addresses (0.0.0.0), not on 127.0.0.1 alone.",
  });
}
