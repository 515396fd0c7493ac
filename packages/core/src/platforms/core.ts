import type { Redactor } from "../errors/redaction.ts";
import type { ProviderDeclaration } from "../model/stack.ts";
import type { Clock, Fence, Logger, Progress, ProviderContext, Sealer } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import type { Provider } from "../provider/provider.ts";
import type { StateStore } from "../state/store.ts";
import type { Event } from "../model/event.ts";
import type { Actor } from "../model/change.ts";

/** What everything in the engine works with; made once by `createControlPlane`. */
export interface Core {
  readonly store: StateStore;
  readonly sealer: Sealer;
  readonly redactor: Redactor;
  readonly cacheDir: string;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly log: Logger;
  readonly parallel: number;
  /** Called with the name of each call of a provider or ledger. */
  readonly audit: (call: string) => void;
  /** The provider behind a declaration, guarded; made once. Throws `NOT_FOUND` where its type is unknown. */
  provider(declaration: ProviderDeclaration, folder: string): Promise<Provider>;
  /** Events of changes that go on in this process, by stack and number (`liveKey`). */
  readonly live: Map<string, AsyncIterable<Event>>;
  /** Where lease and history lie for a platform that has no place for them. */
  fallbackLedger(platformId: string): Ledger;
}

const never = new AbortController().signal;

/** A context for calls that only read. */
export function readContext(core: Core, stack: string, signal: AbortSignal = never): ProviderContext {
  return makeContext(core, { fence: { stack, epoch: 0, check: () => Promise.resolve() }, signal });
}

export function makeContext(
  core: Core,
  of: { readonly fence: Fence; readonly signal: AbortSignal; readonly progress?: (progress: Progress) => void },
): ProviderContext {
  return {
    signal: of.signal,
    clock: core.clock,
    log: core.log,
    progress: of.progress ?? (() => undefined),
    fence: of.fence,
    sealer: core.sealer,
  };
}
