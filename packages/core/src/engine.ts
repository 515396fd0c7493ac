import type { Stacks } from "./control-plane.ts";
import { advanceServices } from "./engine/advance.ts";
import { execInService, runInService } from "./engine/commands.ts";
import { readContext, type Core } from "./platforms/core.ts";
import { deployStack, destroyStack } from "./engine/deploy.ts";
import { changeDetail, oneRelease, stackHistory, stackReleases } from "./engine/history.ts";
import { stackLogs } from "./engine/logs.ts";
import { restartServices, scaleServices, startServices, stopServices } from "./engine/operations.ts";
import { prepare } from "./engine/plan-stack.ts";
import { providerStatuses } from "./engine/provider-status.ts";
import { rebuildState, unlockStack } from "./engine/rebuild.ts";
import { recoverStack } from "./engine/recover.ts";
import { rollbackStack } from "./engine/rollback.ts";
import { stackResources, stackStatus } from "./engine/status.ts";

/**
 * The engine's front: one line for each thing that can be done with a stack. A deploy, followed through the files:
 * `engine/deploy` frames it as a change (`engine/run-change`), which surveys the platforms (`engine/survey`), says what is wanted
 * (`engine/desired`), decides (`plan/`), takes the leases, decides again, and carries the plan out (`apply/`, through each
 * provider's `rollout/`); then it is recorded (`engine/finish-change`).
 */
export function makeEngine(core: Core): Stacks {
  return {
    check: async (stack) => (await prepare(core, stack, {}, readContext(core, stack.name))).plan.diagnostics,
    plan: async (stack, options = {}) =>
      (await prepare(core, stack, options, readContext(core, stack.name, options.signal))).plan,
    deploy: (stack, options = {}) => deployStack(core, stack, options),
    destroy: (stack, options = {}) => destroyStack(core, stack, options),
    recover: (stack, options = {}) => recoverStack(core, stack, options),
    rollback: (stack, options = {}) => rollbackStack(core, stack, options),
    scale: (stack, replicas, options = {}) => scaleServices(core, stack, replicas, options),
    start: (stack, services, options = {}) => startServices(core, stack, services, options),
    stop: (stack, services, options = {}) => stopServices(core, stack, services, options),
    restart: (stack, services, options = {}) => restartServices(core, stack, services, options),
    promote: (stack, services = [], options = {}) => advanceServices(core, stack, services, "promote", options),
    abort: (stack, services = [], options = {}) => advanceServices(core, stack, services, "abort", options),
    status: (stack, services = []) => stackStatus(core, stack, services),
    resources: (stack, services = []) => stackResources(core, stack, services),
    logs: (stack, options = {}) => stackLogs(core, stack, options),
    exec: (stack, service, options) => execInService(core, stack, service, options),
    run: (stack, service, options) => runInService(core, stack, service, options),
    history: (stack, options = {}) => stackHistory(core, stack, options.limit ?? 20),
    change: (stack, number) => changeDetail(core, stack, number),
    releases: (stack, services = []) => stackReleases(core, stack, services),
    release: (stack, service, number) => oneRelease(core, stack, service, number),
    providers: (stack) => providerStatuses(core, stack),
    state: {
      show: (stack) => core.store.read(stack.name),
      rebuild: (stack) => rebuildState(core, stack, { everywhere: true }),
      unlock: (stack) => unlockStack(core, stack),
    },
  };
}
