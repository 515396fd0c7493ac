import type { Harness } from "@ctrlplane/conformance";
import type { Provider } from "@ctrlplane/core/provider";
import type { AroundCall } from "@ctrlplane/provider-reference";
import { harness } from "@ctrlplane/provider-reference/conformance";

/** The reference provider with one lie: the behaviours that catch it, and no others, have to fail. */
export interface Liar {
  readonly name: string;
  /** What it does instead of the honest provider. Called for every provider that is made. */
  readonly lie?: (honest: Provider, harness: Harness) => Partial<Provider>;
  /** What it does on its way to the platform. */
  readonly around?: AroundCall;
  readonly caughtBy: readonly string[];
}

/** Without a lie the honest twin. */
export async function harnessOf({ lie, around }: Pick<Liar, "lie" | "around">): Promise<Harness> {
  const honest = await harness(around === undefined ? {} : { around });
  if (lie === undefined) return honest;
  return {
    ...honest,
    connect() {
      const provider = honest.connect();
      return { ...provider, ...lie(provider, honest) };
    },
    unreachable() {
      const provider = honest.unreachable();
      return { ...provider, ...lie(provider, honest) };
    },
  };
}
