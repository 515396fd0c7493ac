import { setTimeout as sleep } from "node:timers/promises";
import { CtrlPlaneError, isCtrlPlaneError, newId } from "@ctrlplane/core/provider";
import type { Liar } from "./liar.ts";

/** Lies about deploys that fail, about ways back, and about jobs. */
export const liarsOfFailing: readonly Liar[] = [
  {
    name: "a failed release is held, and said to be reverted",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest
          .deploy({ ...request, strategy: { ...request.strategy, onFailure: "hold" } }, context)
          .catch((error: unknown) => {
            throw changed(error, { reverted: true });
          }),
    }),
    caughtBy: [
      "verdicts.a-failed-first-leaves-nothing",
      "verdicts.a-failed-update-keeps-the-old",
      "verdicts.the-way-back-is-decided-first",
      "verdicts.an-ill-one-is-unhealthy",
      "verdicts.hold-does-not-go-back",
      "verdicts.an-old-one-that-is-dead-is-told",
      "rolling.what-is-not-ready-replaces-nothing",
      "fencing.a-refused-decision-ends-it",
    ],
  },
  {
    name: "a failure tells its verdict alone",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request, context).catch((error: unknown) => {
          throw changed(error, { exitCode: null, logTail: [] });
        }),
    }),
    caughtBy: ["verdicts.an-end-is-a-failure", "verdicts.a-failure-tells-the-last-lines", "jobs.a-failure-is-told"],
  },
  {
    name: "every failure is an end",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request, context).catch((error: unknown) => {
          throw changed(error, { verdict: "EXITED" });
        }),
    }),
    caughtBy: [
      "verdicts.a-begun-way-back-is-finished",
      "verdicts.never-ready-ends-in-time",
      "verdicts.an-ill-one-is-unhealthy",
      "verdicts.a-taken-port-is-told",
    ],
  },
  {
    name: "what is missing is not found",
    lie: (honest) => ({
      identifyImage: (request, context) =>
        honest.identifyImage(request, context).catch((error: unknown) => {
          throw new CtrlPlaneError("NOT_FOUND", "there is no such image", { cause: error });
        }),
    }),
    caughtBy: ["verdicts.what-is-missing-is-told", "errors.a-missing-program-shows-no-environment"],
  },
  {
    name: "the way back is not decided",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy({ ...request, journal: { ...request.journal, decide: () => Promise.resolve() } }, context),
    }),
    caughtBy: [
      "verdicts.the-way-back-is-decided-first",
      "blue_green.promote-cuts-over",
      "blue_green.an-end-during-the-pause-is-told",
      "canary.a-pause-is-in-the-journal",
      "canary.a-pause-is-kept",
      "canary.promote-goes-to-the-next-step",
      "canary.promote-ends-it",
      "canary.a-timed-pause-waits",
      "canary.an-end-during-the-pause-is-told",
      "fencing.a-refused-decision-ends-it",
    ],
  },
  {
    name: "what was decided is forgotten",
    lie: (honest) => ({
      deploy({ journal, ...request }, context) {
        const decide: typeof journal.decide = (decision) => journal.decide(decision);
        return honest.deploy({ ...request, journal: { decisions: [], decide } }, context);
      },
    }),
    caughtBy: [
      "verdicts.a-begun-way-back-is-finished",
      "blue_green.a-pause-is-kept",
      "canary.a-pause-is-kept",
      "canary.a-timed-pause-waits",
    ],
  },
  {
    name: "an update is waited for without end",
    lie: (honest) => ({
      deploy(request, context) {
        const { strategy, previous } = request;
        if (previous === undefined || strategy.type !== "recreate") return honest.deploy(request, context);
        return honest.deploy({ ...request, strategy: { ...strategy, timeoutMs: 3_600_000 } }, context);
      },
    }),
    caughtBy: [
      "deploy.over-a-left-over-revision",
      "verdicts.an-ill-one-is-unhealthy",
      "verdicts.hold-does-not-go-back",
      "timeouts.the-strategys-time-is-kept",
    ],
  },
  {
    name: "what ended is waited for",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request, context).catch(async (error: unknown) => {
          const { timeoutMs } = request.strategy;
          if (isCtrlPlaneError(error) && error.failure?.verdict === "EXITED" && timeoutMs > 30_000)
            await sleep(42_000, undefined, { signal: context.signal });
          throw error;
        }),
    }),
    caughtBy: ["timeouts.what-ends-is-not-waited-for"],
  },
  {
    name: "a job runs at every deploy",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(
          request.release.spec.kind === "job"
            ? { ...request, release: { ...request.release, id: newId("rel") } }
            : request,
          context,
        ),
    }),
    caughtBy: ["jobs.ends-completed", "jobs.runs-once-a-release"],
  },
  {
    name: "a job runs when it is rolled back",
    lie: (honest) => ({
      rollback: (request, context) =>
        request.release.spec.kind === "job"
          ? honest.deploy({ ...request, release: { ...request.release, id: newId("rel") } }, context)
          : honest.rollback(request, context),
    }),
    caughtBy: ["jobs.a-rollback-runs-nothing"],
  },
  {
    name: "a job leaves the service that it replaces",
    lie: (honest) => ({
      async deploy({ previous, ...request }, context) {
        const before = previous === undefined ? {} : { previous };
        const result = await honest.deploy({ ...request, ...before }, context);
        if (request.release.spec.kind === "job" && previous?.spec.kind === "service")
          await honest.deploy({ ...request, release: previous }, context);
        return result;
      },
    }),
    caughtBy: ["jobs.a-job-after-a-service"],
  },
];

function changed(error: unknown, failure: Partial<NonNullable<CtrlPlaneError["failure"]>>): unknown {
  if (!isCtrlPlaneError(error) || error.failure === undefined) return error;
  return new CtrlPlaneError(error.code, error.message, { failure: { ...error.failure, ...failure } });
}
