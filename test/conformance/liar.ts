import { AsyncLocalStorage } from "node:async_hooks";
import type { Harness } from "@ctrlplane/conformance";
import type { Provider, ProviderContext } from "@ctrlplane/core/provider";
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

/** Changes the context of every call that has one. */
export function withContext(
  honest: Provider,
  change: (context: ProviderContext) => ProviderContext,
): Partial<Provider> {
  return {
    provision: (request, context) => honest.provision(request, change(context)),
    deprovision: (request, context) => honest.deprovision(request, change(context)),
    deploy: (request, context) => honest.deploy(request, change(context)),
    advance: (request, context) => honest.advance(request, change(context)),
    rollback: (request, context) => honest.rollback(request, change(context)),
    scale: (request, context) => honest.scale(request, change(context)),
    start: (request, context) => honest.start(request, change(context)),
    stop: (request, context) => honest.stop(request, change(context)),
    restart: (request, context) => honest.restart(request, change(context)),
    logs: (request, context) => honest.logs(request, change(context)),
  };
}

/** Changes the arguments of one call of the platform. */
export function onCall<Args>(name: string, change: (args: Args) => Args): AroundCall {
  // The client sends to each call what that call takes.
  return (called, args, perform) => perform(called === name ? change(args as Args) : args);
}

const hurry = new AsyncLocalStorage<true>();

/** Within this call nothing waits for readiness: only together with `neverWaits`. */
export function inHurry<Result>(call: () => Promise<Result>): Promise<Result> {
  return hurry.run(true, call);
}

/**
 * Whoever is `inHurry` finds everything ready. What takes a while to get ready takes six seconds here, so that nobody is late in
 * looking.
 */
export const neverWaits: AroundCall = (called, args, perform) => {
  if (hurry.getStore() === true && (called === "waitReady" || called === "outlive")) return Promise.resolve(true);
  return takesLonger(called, args, perform);
};

const takesLonger = onCall<{ behaviour: string }>("image", ({ behaviour, ...args }) => ({
  ...args,
  behaviour: behaviour.replace(/slow:\d+/, "slow:6000"),
}));
