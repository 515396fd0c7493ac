import type { Capability } from "./capability.ts";
import type { CapabilityMethods, GatedMethod } from "./capability-methods.ts";
import type { Provider } from "./provider.ts";
import { isSupported, unsupported } from "./unsupported.ts";

/**
 * What an author of a provider writes: the methods that every provider has, and those that its capabilities promise. A capability
 * without its methods does not compile. A method without its capability may be there, and is never called.
 */
export type ProviderDefinition<Declared extends readonly Capability[]> = Omit<
  Provider,
  GatedMethod | "capabilities"
> & {
  readonly capabilities: Declared;
} & Pick<Provider, CapabilityMethods[Declared[number]]> &
  Partial<Pick<Provider, GatedMethod>>;

/** A provider from its definition; what it did not declare throws `UNSUPPORTED`, before any request. */
export function defineProvider<const Declared extends readonly Capability[]>(
  definition: ProviderDefinition<Declared>,
): Provider {
  // Seen without the type parameter, the promised methods are optional like the others.
  const given: Omit<Provider, GatedMethod | "capabilities"> & Partial<Pick<Provider, GatedMethod>> = definition;
  const { type, capabilities } = definition;

  const gated = <Method extends Exclude<GatedMethod, "logs">>(method: Method): Provider[Method] => {
    const own = given[method];
    // Each of these methods returns a promise, so a function that only rejects fits every one of them.
    const refuse = (() => Promise.reject(unsupported(method, type))) as Provider[Method];
    // `bind` of a union of functions loses which one it is.
    return own !== undefined && isSupported(method, capabilities) ? (own.bind(given) as Provider[Method]) : refuse;
  };

  const logs = given.logs !== undefined && isSupported("logs", capabilities) ? given.logs.bind(given) : undefined;

  return {
    type,
    capabilities: () => capabilities,
    info: (context) => given.info(context),
    health: (context) => given.health(context),
    check: (...of) => given.check(...of),
    address: (instance, spec) => given.address(instance, spec),
    ...(given.fixed === undefined ? {} : { fixed: given.fixed.bind(given) }),
    identifyImage: (request, context) => given.identifyImage(request, context),
    buildImage: (request, context) => given.buildImage(request, context),
    ...(given.retain === undefined ? {} : { retain: given.retain.bind(given) }),
    ...(given.adopt === undefined ? {} : { adopt: given.adopt.bind(given) }),
    ...(given.startAdopted === undefined ? {} : { startAdopted: given.startAdopted.bind(given) }),
    provision: gated("provision"),
    deprovision: gated("deprovision"),
    deploy: gated("deploy"),
    advance: gated("advance"),
    rollback: gated("rollback"),
    scale: gated("scale"),
    start: gated("start"),
    stop: gated("stop"),
    restart: gated("restart"),
    status: (request, context) => given.status(request, context),
    list: (selector, context) => given.list(selector, context),
    resources: (request, context) => given.resources(request, context),
    logs: logs ?? (() => refuseLogs(type)),
    exec: gated("exec"),
    run: gated("run"),
    ...(given.ledger === undefined ? {} : { ledger: given.ledger }),
    close: () => given.close(),
  };
}

function refuseLogs(type: string): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(unsupported("logs", type)) }) };
}
