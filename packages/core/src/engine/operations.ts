import { stopRequest } from "../apply/hand-over.ts";
import { startAdopted } from "../apply/operate-legacy.ts";
import type { Change } from "../model/change.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import { isEqualCount, type ReplicaCount } from "../model/resources.ts";
import type { Stack } from "../model/stack.ts";
import type { ChangeOptions, Run } from "../control-plane.ts";
import { type Deployment } from "../apply/deployment.ts";
import { describeReplicas } from "../plan/describe.ts";
import type { Core } from "../platforms/core.ts";

import { operate, type Subject } from "./operate.ts";
export function scaleServices(
  core: Core,
  stack: Stack,
  wanted: Readonly<Record<string, ReplicaCount>>,
  options: ChangeOptions,
): Promise<Run<Change>> {
  const declared = (service: string): ReplicaCount | undefined => stack.services[service]?.spec.scale.replicas;
  const isFiles = (service: string, count: ReplicaCount): boolean => {
    const file = declared(service);
    return file !== undefined && isEqualCount(file, count);
  };
  return operate(core, stack, Object.keys(wanted), options, {
    command: "scale",
    capabilities: (service) => (typeof wanted[service] === "object" ? ["scale", "autoscale"] : ["scale"]),
    describe: (service, settled) => {
      const count = wanted[service] ?? settled.replicas;
      const file = declared(service);
      const notes =
        file === undefined || isFiles(service, count)
          ? []
          : [
              `the file says ${describeReplicas(file)}; the next deploy returns to that, unless services.${service}.scale.replica says ${JSON.stringify(count)}`,
            ];
      return { summary: `${describeReplicas(settled.replicas)} → ${describeReplicas(count)}`, notes };
    },
    replicas: (service, settled) => wanted[service] ?? settled.replicas,
    legacy: { next: (service) => `then pctl scale ${service} ${wordOf(wanted[service])}` },
    act: (scope, { release, replicas }, deployment) => {
      const by = { by: core.actor.user, at: new Date(core.clock.now()).toISOString(), change: scope.number };
      const request = {
        instance: release.instance,
        release,
        replicas,
        deployment: deployment.id,
        journal: deployment.journal,
        ...(isFiles(release.instance.service, replicas) ? {} : { scaledBy: by }),
      };
      return scope.provider(release.instance).scale(request, deployment.context);
    },
  });
}

export function startServices(
  core: Core,
  stack: Stack,
  services: readonly string[],
  options: ChangeOptions,
): Promise<Run<Change>> {
  return operate(core, stack, services, options, {
    command: "start",
    describe: (_service, settled) => ({ summary: `starts release ${settled.number}`, notes: [] }),
    replicas: (_service, settled) => settled.replicas,
    legacy: {
      summary: "starts what pctl 1.1 made",
      notes: [],
      act: (scope, instance, context) => startAdopted(scope, instance, startMs(stack, instance.service), context),
    },
    act: (scope, subject, deployment) =>
      scope.provider(subject.release.instance).start(releaseRequest(subject, deployment), deployment.context),
  });
}

export function restartServices(
  core: Core,
  stack: Stack,
  services: readonly string[],
  options: ChangeOptions,
): Promise<Run<Change>> {
  return operate(core, stack, services, options, {
    command: "restart",
    describe: (_service, settled) => ({ summary: `restarts release ${settled.number}`, notes: [] }),
    replicas: (_service, settled) => settled.replicas,
    legacy: {
      summary: "restarts what pctl 1.1 made",
      notes: ["all of it stops before it starts again: nobody answers for a moment"],
      act: async (scope, instance, context) => {
        await scope.provider(instance).stop(stopLegacy(stack, instance), context);
        return startAdopted(scope, instance, startMs(stack, instance.service), context);
      },
    },
    act: (scope, subject, deployment) =>
      scope.provider(subject.release.instance).restart(releaseRequest(subject, deployment), deployment.context),
  });
}

export function stopServices(
  core: Core,
  stack: Stack,
  services: readonly string[],
  options: ChangeOptions,
): Promise<Run<Change>> {
  return operate(core, stack, services, options, {
    command: "stop",
    needsNoKey: true,
    describe: (_service, settled) => ({
      summary: `stops release ${settled.number}`,
      notes: ["the next deploy, or pctl start, brings it back"],
    }),
    replicas: (_service, settled) => settled.replicas,
    legacy: {
      summary: "stops what pctl 1.1 made",
      notes: ["pctl start brings it back; the next deploy puts a release in its place"],
      act: (scope, instance, context) => scope.provider(instance).stop(stopLegacy(stack, instance), context),
    },
    act: (scope, { release }, deployment) =>
      scope.provider(release.instance).stop(stopRequest(release), deployment.context),
  });
}

/** As declared, where it is. The signal is the one that pctl 1.1 left to the container. */
function stopLegacy(stack: Stack, instance: InstanceIdentity) {
  const { graceMs = 10_000 } = stack.services[instance.service]?.spec.stop ?? {};
  return { instance, graceMs, drainMs: 0 };
}

/** As `pctl scale` reads it. */
function wordOf(count: ReplicaCount = 1): string {
  return typeof count === "number" ? String(count) : `${count.min}..${count.max}`;
}

function startMs(stack: Stack, service: string): number {
  return stack.services[service]?.spec.strategy.timeoutMs ?? 60_000;
}

function releaseRequest(subject: Subject, deployment: Deployment) {
  const { release, replicas, scaledBy } = subject;
  return {
    instance: release.instance,
    release,
    replicas,
    deployment: deployment.id,
    journal: deployment.journal,
    ...(scaledBy === undefined ? {} : { scaledBy }),
  };
}
