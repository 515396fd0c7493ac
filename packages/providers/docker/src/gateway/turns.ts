import { CtrlPlaneError, isCtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError } from "@ctrlplane/images";
import type { GatewayPlace } from "./gateway-table.ts";

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
