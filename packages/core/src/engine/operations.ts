import { stopRequest } from "../apply/hand-over.ts";
import type { Change } from "../model/change.ts";
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
    act: (scope, { release }, deployment) =>
      scope.provider(release.instance).stop(stopRequest(release), deployment.context),
  });
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
