import type { Capability } from "@ctrlplane/core/provider";
import type { Bench } from "./bench.ts";

/** One thing that a provider promises, and how to see whether it holds. */
export interface Behaviour {
  /** Stable: `{group}.{words}`. */
  readonly id: string;
  readonly group: string;
  /** One sentence, as the promise. */
  readonly intent: string;
  /** Capabilities without which it says nothing of a provider. */
  readonly needs: readonly Capability[];
  /** Throws where it does not hold. */
  run(bench: Bench): Promise<void>;
}

export interface Group {
  readonly name: string;
  readonly behaviours: readonly Behaviour[];
}

/** A group from its behaviours by the second part of their ids. */
export function group(
  name: string,
  needs: readonly Capability[],
  behaviours: Readonly<Record<string, readonly [intent: string, run: (bench: Bench) => Promise<void>]>>,
): Group {
  return {
    name,
    behaviours: Object.entries(behaviours).map(([words, [intent, run]]) => ({
      id: `${name}.${words}`,
      group: name,
      intent,
      needs,
      run,
    })),
  };
}
