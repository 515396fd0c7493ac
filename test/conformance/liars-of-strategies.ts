import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "@ctrlplane/core/provider";
import type { DeployRequest, DeployResult, Provider } from "@ctrlplane/core/provider";
import type { AroundCall } from "@ctrlplane/provider-reference";
import type { Liar } from "./liar.ts";

/** Lies about how one release replaces another. */
export const liarsOfStrategies: readonly Liar[] = [
  {
    name: "recreate is rolling",
    lie: (honest) => ({ deploy: asStrategy(honest, "recreate", { type: "rolling" }) }),
    caughtBy: ["deploy.recreate-never-runs-two", "verdicts.hold-does-not-go-back"],
  },
  {
    name: "rolling is recreate",
    around: slowToMake,
    lie: (honest) => ({ deploy: asStrategy(honest, "rolling", { type: "recreate" }) }),
    caughtBy: [
      "rolling.somebody-answers-all-the-time",
      "rolling.never-fewer-than-wanted",
      "rolling.what-is-not-ready-replaces-nothing",
      "rolling.what-ends-at-once-replaces-nothing",
      "rolling.what-dies-young-is-taken-back",
      "rolling.one-batch-at-a-time",
      "cancellation.takes-nothing-back",
      "fencing.a-lease-lost-in-the-middle",
      "fencing.a-refused-decision-ends-it",
    ],
  },
  {
    name: "rolling replaces all at once",
    lie: (honest) => ({ deploy: asStrategy(honest, "rolling", { batch: { percent: 100 } }) }),
    caughtBy: ["rolling.one-batch-at-a-time"],
  },
  {
    name: "rolling begins with one",
    lie: (honest) => ({
      async deploy(request, context) {
        if (request.strategy.type !== "rolling" || request.previous !== undefined)
          return honest.deploy(request, context);
        await honest.deploy({ ...request, replicas: 1 }, context);
        return honest.deploy({ ...request, deployment: newId("dep") }, context);
      },
    }),
    caughtBy: ["rolling.a-first-release-does-not-wait"],
  },
  {
    name: "a canary does not pause",
    lie: (honest) => ({ deploy: asStrategy(honest, "canary", { type: "rolling" }) }),
    caughtBy: [
      "canary.a-step-has-its-share",
      "canary.the-old-all-stay",
      "canary.a-pause-is-in-the-journal",
      "canary.a-pause-is-kept",
      "canary.promote-goes-to-the-next-step",
      "canary.promote-ends-it",
      "canary.full-leaves-the-pauses-out",
      "canary.abort-takes-it-back",
      "canary.a-timed-pause-waits",
      "canary.an-end-during-the-pause-is-told",
      "canary.another-release-replaces-what-is-paused",
    ],
  },
  {
    name: "a paused canary is forgotten",
    lie: (honest) => ({ deploy: forgetsPauses(honest, "canary") }),
    caughtBy: ["canary.a-pause-is-kept", "canary.a-timed-pause-waits"],
  },
  {
    name: "a paused blue_green is forgotten",
    lie: (honest) => ({ deploy: forgetsPauses(honest, "blue_green") }),
    caughtBy: ["blue_green.a-pause-is-kept"],
  },
  {
    name: "a canary gets half of the traffic",
    lie: (honest) => ({ deploy: asStrategy(honest, "canary", { steps: [50] }) }),
    caughtBy: ["canary.a-step-has-its-share", "canary.a-pause-is-kept", "canary.promote-goes-to-the-next-step"],
  },
  {
    name: "blue_green routes before it is promoted",
    lie: (honest) => ({ deploy: asStrategy(honest, "blue_green", { type: "canary", steps: [50] }) }),
    caughtBy: ["blue_green.the-new-waits-unrouted"],
  },
  {
    name: "a failed blue_green is held",
    lie: (honest) => ({ deploy: asStrategy(honest, "blue_green", { onFailure: "hold" }) }),
    caughtBy: ["blue_green.what-fails-is-taken-back"],
  },
  {
    name: "a first blue_green waits to be promoted",
    lie: (honest) => ({
      async deploy(request, context) {
        const result = await honest.deploy(request, context);
        if (request.strategy.type !== "blue_green" || request.previous !== undefined) return result;
        return { ...result, state: "paused", step: 1 };
      },
    }),
    caughtBy: [
      "blue_green.the-new-waits-unrouted",
      "blue_green.promote-cuts-over",
      "blue_green.abort-takes-it-back",
      "blue_green.an-end-during-the-pause-is-told",
      "blue_green.a-first-release-does-not-pause",
    ],
  },
  {
    name: "abort promotes",
    lie: (honest) => ({
      advance: (request, context) => honest.advance({ ...request, to: "promote", full: true }, context),
    }),
    caughtBy: ["blue_green.abort-takes-it-back", "canary.promote-goes-to-the-next-step", "canary.abort-takes-it-back"],
  },
  {
    name: "a full promote pauses again",
    lie: (honest) => ({ advance: (request, context) => honest.advance({ ...request, full: false }, context) }),
    caughtBy: ["canary.full-leaves-the-pauses-out"],
  },
];

/** There is a moment without what is replaced, and nobody who looks may miss it. */
async function slowToMake(...[called, args, perform]: Parameters<AroundCall>): Promise<unknown> {
  if (called === "create") await sleep(100);
  return perform(args);
}

function forgetsPauses(honest: Provider, type: DeployRequest["strategy"]["type"]): Provider["deploy"] {
  const rolling = asStrategy(honest, type, { type: "rolling" });
  return (request, context) =>
    request.journal.decisions.length === 0 ? honest.deploy(request, context) : rolling(request, context);
}

function asStrategy(
  honest: Provider,
  name: DeployRequest["strategy"]["type"],
  change: Partial<DeployRequest["strategy"]>,
): (request: DeployRequest, context: Parameters<Provider["deploy"]>[1]) => Promise<DeployResult> {
  return (request, context) => {
    const { strategy } = request;
    return honest.deploy(
      strategy.type === name ? { ...request, strategy: { ...strategy, ...change } } : request,
      context,
    );
  };
}
