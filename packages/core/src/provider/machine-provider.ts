import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { InstanceStatus } from "../model/observed.ts";
import type { Release } from "../model/release.ts";
import type { ReplicaCount } from "../model/resources.ts";
import { describeInstance } from "../rollout/describe-instance.ts";
import { leaveJob, runJob, type JobRequest } from "../rollout/job.ts";
import { machineRevisionDriver } from "../rollout/machine-revision-driver.ts";
import { measureCutOver } from "../rollout/measure-cut-over.ts";
import { decideAdvance } from "../rollout/decide-advance.ts";
import { fixedReplicas } from "../rollout/replica-count.ts";
import type { Replica, ReplicaDriver } from "../rollout/replica-driver.ts";
import { rollOut, type RolloutEnd } from "../rollout/roll-out.ts";
import { endSchedule, isScheduled, restoreSchedule, returnToSchedule, scheduleJob } from "../rollout/scheduled-job.ts";
import type { RolloutRequest } from "../rollout/rollout.ts";
import { withoutPauses } from "../rollout/stages.ts";
import type { ProviderContext } from "./context.ts";
import { stopAfterFailedStart, stopInstance } from "./machine-stop.ts";
import type { Provider } from "./provider.ts";
import type { DeployResult } from "./requests.ts";
import { releaseForRestart, releaseForScale } from "./release-variants.ts";

export interface MachineParts {
  readonly driver: ReplicaDriver;
  /** A one-off replica takes another command and its own input and output, so it is the platform's own. */
  readonly run: Provider["run"];
  /** Replicas of one instance that are started or stopped at a time. Default 8. */
  readonly parallel?: number;
  /** Called first in every call that changes an instance or looks into its replicas: throws where it is not ours to touch. */
  readonly before?: (instance: InstanceIdentity, context: ProviderContext) => void | Promise<void>;
  /** What a range of replicas means: machines have no autoscaler. Default: its minimum. */
  readonly rangeMeans?: "minimum" | "maximum";
  /** Of an instance without replicas of ours: those that pctl 1.1 made and nobody took over. They are looked into, and never changed. */
  readonly unadopted?: (instance: InstanceIdentity, context: ProviderContext) => Promise<readonly Replica[]>;
}

type MachineMethods = Pick<
  Provider,
  | "deploy"
  | "advance"
  | "rollback"
  | "scale"
  | "start"
  | "stop"
  | "restart"
  | "status"
  | "resources"
  | "logs"
  | "exec"
  | "run"
>;

/**
 * All of a provider that concerns replicas, built from single machines: spread it into `defineProvider`.
 *
 * - `stop` keeps replicas as stopped records; `start` starts those again. A `start` that fails stops them again.
 * - `restart` replaces replicas by equal ones of the next generation, by the release's strategy; called again with the same
 *   deployment it finishes what it began, or finds it done.
 * - `scale` with resources replaces replicas; with replicas alone none.
 * - Only `deploy` and `advance` pause: what served before, or serves already, needs no comparison. `rollback`, `scale` and
 *   `restart` of a canary are rolling.
 */
export function machineProvider({
  driver,
  run,
  parallel = 8,
  rangeMeans = "minimum",
  before,
  unadopted = () => Promise.resolve([]),
}: MachineParts): MachineMethods {
  const visible = async (instance: InstanceIdentity, context: ProviderContext): Promise<readonly Replica[]> => {
    const own = await driver.list(instance, context);
    return own.length > 0 ? own : unadopted(instance, context);
  };
  const carryOut = async (
    instance: InstanceIdentity,
    request: RolloutRequest,
    context: ProviderContext,
  ): Promise<DeployResult> => {
    // Where nothing served before there is nothing that clients could miss.
    const measure = request.previous === undefined ? undefined : measureCutOver(driver, instance, context);
    const revisions = machineRevisionDriver(driver, instance, {
      deployment: request.deployment,
      release: request.release,
      total: (release) => totalOf(release, request, rangeMeans),
      parallel,
      rangeMeans,
      ...(measure === undefined ? {} : { beforeRouting: () => measure.begin() }),
    });
    // Asked for what becomes of its schedule, where the platform has any.
    const settled = driver.schedule === undefined ? undefined : (await driver.instance(instance, context))?.settled;
    await endSchedule(driver, instance, context);
    let end: RolloutEnd;
    try {
      end = await rollOut(revisions, request, context);
    } catch (error) {
      const isReverted = isCtrlPlaneError(error) && error.failure?.reverted === true;
      // A schedule whose place it was to take.
      if (isReverted) await restoreSchedule(driver, request.previous, settled, context);
      throw error;
    } finally {
      await measure?.tell();
    }
    const status = await machineStatus(driver, instance, context);
    return end.state === "paused" ? { ...end, status } : { state: "serving", status };
  };
  const schedule = async (request: JobRequest, context: ProviderContext) => {
    await scheduleJob(driver, request, context);
    return { state: "scheduled", status: await machineStatus(driver, request.instance, context) } as const;
  };
  const withoutPause = async (
    instance: InstanceIdentity,
    request: RolloutRequest,
    context: ProviderContext,
  ): Promise<InstanceStatus> => {
    const strategy = withoutPauses(request.strategy);
    return (await carryOut(instance, { ...request, strategy }, context)).status;
  };

  const methods: MachineMethods = {
    async deploy({ instance, ...request }, context) {
      if (isScheduled(request.release)) return schedule({ instance, ...request }, context);
      if (request.release.spec.kind !== "job") return carryOut(instance, request, context);
      await runJob(driver, { instance, ...request }, context);
      return { state: "completed", status: await machineStatus(driver, instance, context) };
    },

    async advance({ instance, to, full = false, ...request }, context) {
      await decideAdvance(request.journal, to, full);
      return carryOut(instance, request, context);
    },

    async rollback({ instance, ...request }, context) {
      if (isScheduled(request.release)) {
        await returnToSchedule(driver, { instance, ...request }, context);
        return { state: "scheduled", status: await machineStatus(driver, instance, context) };
      }
      if (request.release.spec.kind === "job") {
        await leaveJob(driver, { instance, ...request }, context);
        return { state: "completed", status: await machineStatus(driver, instance, context) };
      }
      return { state: "serving", status: await withoutPause(instance, request, context) };
    },

    async scale({ instance, resources, ...request }, context) {
      refuseScheduled(request.release, "scale");
      const { settled } = await existing(driver, instance, context);
      const now = settled?.replicas ?? request.release.spec.scale.replicas;
      const replicas = request.replicas ?? now;
      const release = releaseForScale(request.release, resources);
      const { strategy } = release.spec;
      const previous = { previous: request.release, previousReplicas: now };
      return withoutPause(instance, { ...request, ...previous, release, replicas, strategy }, context);
    },

    async start({ instance, ...request }, context) {
      if (isScheduled(request.release)) {
        const { strategy } = request.release.spec;
        return (await schedule({ instance, ...request, strategy }, context)).status;
      }
      // Nothing old runs that a strategy could replace, and what fails is stopped again instead of removed.
      const strategy = { ...request.release.spec.strategy, type: "recreate", onFailure: "hold" } as const;
      try {
        return await withoutPause(instance, { ...request, strategy }, context);
      } catch (error) {
        throw await stopAfterFailedStart(driver, request.release, parallel, error, context);
      }
    },

    async stop({ instance, ...ending }, context) {
      await existing(driver, instance, context);
      await stopInstance(driver, instance, { ...ending, parallel }, context);
      return machineStatus(driver, instance, context);
    },

    async restart({ instance, ...request }, context) {
      refuseScheduled(request.release, "restart");
      const { settled } = await existing(driver, instance, context);
      const { release, previous } = releaseForRestart(request.release, settled, request.deployment);
      const { strategy } = release.spec;
      return withoutPause(
        instance,
        { ...request, release, previous, previousReplicas: request.replicas, strategy },
        context,
      );
    },

    status: ({ instance }, context) => machineStatus(driver, instance, context),

    async resources({ instance }, context) {
      return driver.usage(await visible(instance, context), context);
    },

    logs: (request, context) => driver.logs(request, context),

    async exec(request, context) {
      const replicas = await visible(request.instance, context);
      return driver.exec(chooseReplica(request.instance, replicas, request.replica), request, context);
    },

    run,
  };
  /** The same call, once it is known that the instance is ours. */
  const first =
    <Request extends { readonly instance: InstanceIdentity }, Result>(
      call: (request: Request, context: ProviderContext) => Promise<Result>,
    ) =>
    async (request: Request, context: ProviderContext): Promise<Result> => {
      await before?.(request.instance, context);
      return call(request, context);
    };
  return {
    ...methods,
    deploy: first(methods.deploy),
    advance: first(methods.advance),
    rollback: first(methods.rollback),
    scale: first(methods.scale),
    start: first(methods.start),
    stop: first(methods.stop),
    restart: first(methods.restart),
    exec: first(methods.exec),
  };
}

/** What is seen of one instance. Throws `NOT_FOUND` where nothing of it exists. */
export async function machineStatus(
  driver: ReplicaDriver,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<InstanceStatus> {
  const [base, replicas, routed] = await Promise.all([
    existing(driver, instance, context),
    driver.list(instance, context),
    driver.routed(instance, context),
  ]);
  return { ...describeInstance(base, replicas, routed), replicas };
}

async function existing(driver: ReplicaDriver, instance: InstanceIdentity, context: ProviderContext) {
  const found = await driver.instance(instance, context);
  if (found !== undefined) return found;
  throw new CtrlPlaneError("NOT_FOUND", `nothing of ${instance.name} exists on ${instance.provider}`, {
    target: instance.name,
    hint: `pctl deploy ${instance.service} brings it up`,
  });
}

function refuseScheduled(release: Release, what: "scale" | "restart"): void {
  if (!isScheduled(release)) return;
  const { name } = release.instance;
  throw new CtrlPlaneError("INVALID", `${name} runs by a schedule: there is nothing to ${what}`, { target: name });
}

function totalOf(
  release: Release,
  request: RolloutRequest,
  rangeMeans: NonNullable<MachineParts["rangeMeans"]>,
): number {
  const isPrevious = release.id === request.previous?.id && release.id !== request.release.id;
  const count: ReplicaCount = isPrevious ? (request.previousReplicas ?? release.spec.scale.replicas) : request.replicas;
  return fixedReplicas(count, rangeMeans);
}

function chooseReplica(instance: InstanceIdentity, replicas: readonly Replica[], name: string | undefined): Replica {
  const found = replicas.find((each) => (name === undefined ? each.state === "ready" : each.name === name));
  if (found !== undefined) return found;
  const names = replicas.map((each) => each.name).join(", ");
  const what = name === undefined ? `${instance.name} has no ready replica` : `${instance.name} has no replica ${name}`;
  throw new CtrlPlaneError("NOT_FOUND", what, {
    target: name ?? instance.name,
    hint: names === "" ? `pctl status ${instance.service} shows why` : `there are: ${names}`,
  });
}
