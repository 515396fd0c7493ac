import { CtrlPlaneError } from "./errors/error.ts";
import type { ControlPlane, ControlPlaneOptions } from "./control-plane.ts";
import type { ProviderDeclaration } from "./model/stack.ts";
import { silentLogger, systemClock } from "./platforms/clock.ts";
import type { Core } from "./platforms/core.ts";
import { makeInstances } from "./engine/instances.ts";
import { makeEngine } from "./engine.ts";
import { auditLedger } from "./provider/audit-ledger.ts";
import { guardProvider } from "./provider/guard.ts";
import type { Ledger } from "./provider/ledger.ts";
import type { Provider } from "./provider/provider.ts";
import { createRegistry } from "./provider/registry.ts";
import { memoryLedger } from "./state/memory-ledger.ts";
import { memoryStateStore } from "./state/memory-store.ts";

/** The seed's `app.New`: providers, a store, and everything that can be done with them. No console, no signal handler, no exit. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const registry = createRegistry();
  for (const [name, provider] of Object.entries(options.providers ?? {})) registry.register(name, provider);
  if (options.defaultProvider !== undefined) registry.setDefault(options.defaultProvider);
  const made = new Map<string, Promise<Provider>>();
  const ledgers = new Map<string, Ledger>();
  const core: Core = {
    store: options.store ?? memoryStateStore(),
    sealer: options.sealer,
    redactor: options.redactor,
    cacheDir: options.cacheDir,
    actor: options.actor,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLogger,
    parallel: options.parallel ?? 8,
    live: new Map(),
    audit: options.audit ?? (() => undefined),
    fallbackLedger: (platformId) => {
      const known = ledgers.get(platformId);
      if (known !== undefined) return known;
      const own = options.fallbackLedger?.(platformId) ?? memoryLedger();
      const ledger = auditLedger(own, (call) => core.audit(`${platformId}.${call}`));
      ledgers.set(platformId, ledger);
      return ledger;
    },
    provider: (declaration, folder) => {
      const key = JSON.stringify([declaration, folder]);
      const provider = made.get(key) ?? makeProvider(declaration, folder);
      made.set(key, provider);
      return provider;
    },
  };
  const makeProvider = async (declaration: ProviderDeclaration, folder: string): Promise<Provider> => {
    const isRegistered = registry.list().includes(declaration.name);
    const provider = isRegistered
      ? registry.get(declaration.name)
      : await options.resolveProvider?.(declaration, folder);
    if (provider === undefined) {
      throw new CtrlPlaneError("NOT_FOUND", `no provider is of type ${declaration.type}`, {
        provider: declaration.name,
      });
    }
    return guardProvider(provider, {
      name: declaration.name,
      redactor: core.redactor,
      audit: (method) => core.audit(`${declaration.name}.${method}`),
    });
  };
  const stacks = makeEngine(core);
  const instances = makeInstances(core, stacks, {
    providerTypes: registry.list(),
    cwd: options.folder ?? process.cwd(),
    ...(options.defaultProvider === undefined ? {} : { defaultProvider: options.defaultProvider }),
  });
  return {
    registry,
    stacks,
    instances: instances.instances,
    deployments: instances.deployments,
    releases: instances.releases,
    recover: instances.recover,
    close: async () => {
      const providers = await Promise.allSettled(made.values());
      await Promise.all(providers.flatMap((each) => (each.status === "fulfilled" ? [each.value.close()] : [])));
    },
  };
}
