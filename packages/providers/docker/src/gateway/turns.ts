import { CtrlPlaneError, isCtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError } from "@ctrlplane/images";
import type { GatewayPlace } from "./gateway-table.ts";

/** What others do to a gateway takes no longer, or it is no matter of a moment. */
const againMs = 10_000;
const pollMs = 100;

const last = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Work on one service's gateway follows each other within this process; between processes the lease sees to it. */
export async function inTurn<T>({ engine, instance }: GatewayPlace, work: () => Promise<T>): Promise<T> {
  const turns = last.get(engine) ?? new Map<string, Promise<unknown>>();
  last.set(engine, turns);
  const before = turns.get(instance.name);
  // Whoever did the work before was told of its error.
  const turn = (before ?? Promise.resolve()).then(work, work);
  turns.set(instance.name, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(instance.name) === turn) turns.delete(instance.name);
  }
}

/**
 * Does work that observes and then acts. What it saw may be another's to remove or to make at that moment: then all is looked at anew.
 */
export async function lookingAgain<T>({ clock, signal }: ProviderContext, work: () => Promise<T>): Promise<T> {
  const until = clock.monotonic() + againMs;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (!isOutdated(error) || clock.monotonic() > until) throw error;
    }
    await clock.sleep(pollMs, signal);
  }
}

/** A container is gone that was there, or there that was not. An image that does not exist is no such thing. */
function isOutdated(error: unknown): boolean {
  if (!isCtrlPlaneError(error)) return isEngineError(error, 404);
  return error.failure === undefined && (error.code === "NOT_FOUND" || (error.code === "CONFLICT" && error.retryable));
}

/** The promise's value; whatever it throws as one of our errors. */
export async function gatewayCall<T>(
  { instance }: GatewayPlace,
  { signal }: ProviderContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isCtrlPlaneError(error)) throw error;
    const target = `${instance.name}-gateway`;
    if (!signal.aborted) throw mapEngineError(error, target);
    throw new CtrlPlaneError("CANCELLED", `${target} was cancelled`, { target, cause: error });
  }
}
