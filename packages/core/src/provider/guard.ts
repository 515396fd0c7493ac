import type { Redactor } from "../errors/redaction.ts";
import type { RolloutJournal } from "../rollout/journal.ts";
import { auditLedger } from "./audit-ledger.ts";
import { isGated } from "./capability-methods.ts";
import type { ProviderContext } from "./context.ts";
import {
  callWithin,
  guardContext,
  guardLines,
  guardSession,
  refuseAborted,
  withRedactedJournal,
} from "./guarded-call.ts";
import { guardLedger } from "./guard-ledger.ts";
import type { Provider } from "./provider.ts";
import { redactDiagnostics, toProviderError } from "./redact-error.ts";
import { isSupported, unsupported } from "./unsupported.ts";

/** Methods with a request and a context that answer with a promise. */
type CallName = Exclude<
  keyof Provider,
  | "type"
  | "capabilities"
  | "check"
  | "address"
  | "fixed"
  | "retain"
  | "adopt"
  | "startAdopted"
  | "ledger"
  | "close"
  | "logs"
  | "info"
  | "health"
>;

export interface GuardOptions {
  /** The user's name of the provider; every error carries it. */
  readonly name: string;
  /** Its secrets are taken out of errors, progress, log messages, diagnostics, log lines and recorded failures. */
  readonly redactor: Redactor;
  /** Most milliseconds a call may take, by method. Default: `defaultTimeouts`. */
  readonly timeouts?: Timeouts;
  /** Told the name of each call that reaches the provider or its ledger: `deploy`, `ledger.read`. */
  readonly audit?: (method: string) => void;
}

export type Timeouts = Readonly<Partial<Record<keyof Provider, number>>>;

/**
 * Calls that only ask. Those that change something end by the strategy's own time-outs, since what is a fair time
 * for a build or a drain is the user's to say.
 */
export const defaultTimeouts: Timeouts = {
  info: 30_000,
  health: 30_000,
  status: 60_000,
  list: 120_000,
  resources: 60_000,
};

/** Methods that change something on the platform: called only while the lease is held. */
const writing: ReadonlySet<keyof Provider> = new Set([
  "buildImage",
  "retain",
  "adopt",
  "startAdopted",
  "provision",
  "deprovision",
  "deploy",
  "advance",
  "rollback",
  "scale",
  "start",
  "stop",
  "restart",
] as const);

/**
 * What the engine puts around every provider, so that none of this depends on its author:
 *
 * - what is not declared throws `UNSUPPORTED`, what is cancelled already `CANCELLED`, both without a call;
 * - a method that writes is called only after `fence.check()`;
 * - every error is a `CtrlPlaneError` with the provider's name; nothing that leaves contains a known secret. What a user's own
 *   `exec` or `run` prints passes byte for byte;
 * - a call that takes too long is aborted and throws `TIMEOUT`.
 */
export function guardProvider(provider: Provider, options: GuardOptions): Provider {
  const { name, redactor, audit } = options;
  const origin = { provider: name, redactor };
  const timeouts = options.timeouts ?? defaultTimeouts;

  const admit = (method: keyof Provider, context: ProviderContext): void => {
    if (isGated(method) && !isSupported(method, provider.capabilities())) throw unsupported(method, name);
    refuseAborted(context, name);
  };

  const ask = async <Result>(
    method: keyof Provider,
    context: ProviderContext,
    call: (context: ProviderContext) => Promise<Result>,
  ): Promise<Result> => {
    try {
      admit(method, context);
      if (writing.has(method)) await context.fence.check();
      audit?.(method);
      return await callWithin(timeouts[method], { method, ...origin }, guardContext(context, redactor), call);
    } catch (error) {
      throw toProviderError(error, origin, context.signal);
    }
  };

  /** Each of the like-shaped methods, under its own type. */
  const guard = <Name extends CallName>(method: Name): Provider[Name] => {
    const guarded = (request: { readonly journal?: RolloutJournal }, context: ProviderContext): Promise<unknown> =>
      ask(method, context, (inner) => {
        // The methods' request types are unrelated: for a type parameter the compiler cannot pair request and method.
        const own = provider[method] as (request: unknown, context: ProviderContext) => Promise<unknown>;
        return own.call(provider, withRedactedJournal(request, redactor), inner);
      });
    // It passes request and result through as they are.
    return guarded as Provider[Name];
  };

  const pure = <Result>(call: () => Result): Result => {
    try {
      return call();
    } catch (error) {
      throw toProviderError(error, origin);
    }
  };
  const retain = provider.retain?.bind(provider);
  const startAdopted = provider.startAdopted?.bind(provider);
  const exec = guard("exec");
  const run = guard("run");

  return {
    type: provider.type,
    capabilities: () => provider.capabilities(),
    check: (...of) =>
      redactDiagnostics(
        pure(() => provider.check(...of)),
        redactor,
      ),
    address: (instance, spec) => pure(() => provider.address(instance, spec)),
    ...(provider.fixed === undefined ? {} : { fixed: (spec) => pure(() => provider.fixed?.(spec) ?? {}) }),
    info: (context) => ask("info", context, (inner) => provider.info(inner)),
    health: (context) => ask("health", context, (inner) => provider.health(inner)),
    identifyImage: guard("identifyImage"),
    buildImage: guard("buildImage"),
    ...(retain === undefined
      ? {}
      : { retain: (request, context) => ask("retain", context, (inner) => retain(request, inner)) }),
    ...(provider.adopt === undefined
      ? {}
      : { adopt: (request, context) => ask("adopt", context, async (inner) => provider.adopt?.(request, inner)) }),
    ...(startAdopted === undefined
      ? {}
      : { startAdopted: (request, context) => ask("startAdopted", context, (inner) => startAdopted(request, inner)) }),
    provision: guard("provision"),
    deprovision: guard("deprovision"),
    deploy: guard("deploy"),
    advance: guard("advance"),
    rollback: guard("rollback"),
    scale: guard("scale"),
    start: guard("start"),
    stop: guard("stop"),
    restart: guard("restart"),
    status: guard("status"),
    list: guard("list"),
    resources: guard("resources"),
    exec: async (request, context) => guardSession(await exec(request, context), origin),
    run: async (request, context) => guardSession(await run(request, context), origin),
    logs: (request, context) =>
      guardLines(origin, () => {
        admit("logs", context);
        audit?.("logs");
        return provider.logs(request, guardContext(context, redactor));
      }),
    ...(provider.ledger === undefined
      ? {}
      : {
          ledger: guardLedger(
            auditLedger(provider.ledger, (call) => audit?.(call)),
            origin,
          ),
        }),
    close: async () => {
      try {
        await provider.close();
      } catch (error) {
        throw toProviderError(error, origin);
      }
    },
  };
}
