import { tmpdir } from "node:os";
import { CtrlPlaneError, newId, revisionOf, sha256, specHash } from "@ctrlplane/core/provider";
import type { DeployRequest, PinnedImage, ProvisionRequest, SettledRelease } from "@ctrlplane/core/provider";
import type { AroundCall } from "@ctrlplane/provider-reference";
import { inHurry, neverWaits, onCall, type Liar } from "./liar.ts";

/** How many deploys of an instance go on, by its name. */
const deploying = new Map<string, number>();

/** Lies about deploys: what they do, and when they return. */
export const liarsOfDeploying: readonly Liar[] = [
  {
    name: "a first deploy returns before it is ready",
    around: neverWaits,
    lie: (honest) => ({
      deploy: (request, context) =>
        isLong(request)
          ? // Nor does it hear of a cancellation: it would be a race with one.
            inHurry(() => honest.deploy(request, { ...context, signal: new AbortController().signal }))
          : honest.deploy(request, context),
    }),
    caughtBy: [
      "idempotence.a-cancelled-deploy-goes-on",
      "deploy.serves-when-returned",
      "deploy.every-replica-runs-when-returned",
    ],
  },
  {
    name: "a second deploy of the same restarts it",
    lie: (honest) => ({
      async deploy(request, context) {
        const before = await honest.status(request, context).catch(() => undefined);
        const result = await honest.deploy(request, context);
        if (before?.settled?.releaseId !== request.release.id || request.replicas === 0) return result;
        return { state: "serving", status: await honest.restart({ ...request, deployment: newId("dep") }, context) };
      },
    }),
    caughtBy: [
      "lifecycle.a-removed-replica-comes-back",
      "idempotence.deploy-again-replaces-nothing",
      "idempotence.another-deployment-of-it-replaces-nothing",
      "idempotence.another-provider-finishes-the-same",
      "jobs.runs-once-a-release",
    ],
  },
  {
    name: "what is settled has another number",
    around: onCall<{ settled?: SettledRelease }>("settle", (args) =>
      args.settled === undefined ? args : { ...args, settled: { ...args.settled, number: 99 } },
    ),
    caughtBy: [
      "lifecycle.start-brings-it-back",
      "deploy.settles-the-release",
      "deploy.replaces-the-old",
      "blue_green.abort-takes-it-back",
      "canary.promote-ends-it",
      "rollback.is-on-record",
    ],
  },
  {
    name: "a deploy tells of no revisions",
    lie: (honest) => ({
      async deploy(request, context) {
        const result = await honest.deploy(request, context);
        return { ...result, status: { ...result.status, revisions: [] } };
      },
    }),
    caughtBy: ["deploy.every-replica-runs-when-returned", "deploy.tells-what-is-there"],
  },
  {
    name: "a deploy of none runs one",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request.replicas === 0 ? { ...request, replicas: 1 } : request, context),
    }),
    caughtBy: ["deploy.none-wanted-runs-none"],
  },
  {
    name: "what was stopped stays stopped",
    lie: (honest) => ({
      async deploy(request, context) {
        const before = await honest.status(request, context).catch(() => undefined);
        const result = await honest.deploy(request, context);
        if (before?.stopped !== true || result.state !== "serving") return result;
        const ending = { instance: request.instance, signal: "SIGKILL", graceMs: 0, drainMs: 0 };
        return { state: "serving", status: await honest.stop(ending, context) };
      },
    }),
    caughtBy: ["lifecycle.deploy-after-stop-serves"],
  },
  {
    name: "other ports replace replicas",
    lie: (honest) => ({
      async deploy(request, context) {
        const { previous, release } = request;
        const result = await honest.deploy(request, context);
        const isMoved = previous !== undefined && previous.spec.ports[0]?.hostPort !== release.spec.ports[0]?.hostPort;
        if (!isMoved || release.spec.kind === "job") return result;
        return { state: "serving", status: await honest.restart({ ...request, deployment: newId("dep") }, context) };
      },
    }),
    caughtBy: ["deploy.a-change-of-ports-replaces-nothing"],
  },
  {
    name: "what was begun is to be removed by hand",
    lie: (honest) => ({
      async deploy(request, context) {
        const seen = await honest.status(request, context).catch(() => undefined);
        const isBegun = seen?.revisions.some((each) => each.replicaHash !== seen.settled?.replicaHash);
        if (isBegun === true) throw new CtrlPlaneError("CONFLICT", "remove what was begun");
        return honest.deploy(request, context);
      },
    }),
    caughtBy: [
      "idempotence.a-cancelled-deploy-goes-on",
      "deploy.over-a-left-over-revision",
      "verdicts.what-is-held-is-mended-by-a-deploy",
      "blue_green.a-pause-is-kept",
      "canary.a-pause-is-kept",
      "canary.a-timed-pause-waits",
      "canary.another-release-replaces-what-is-paused",
      "jobs.an-attempt-is-waited-for",
    ],
  },
  {
    name: "what is old is stopped, and not removed",
    around: exceptCall("remove"),
    caughtBy: ["deploy.over-a-left-over-revision", "rolling.the-old-go-in-the-end"],
  },
  {
    name: "two deploys at a time make one replica too many, and it stays",
    around: exceptCall("remove"),
    lie: (honest) => ({
      async deploy(request, context) {
        const { name } = request.instance;
        const others = deploying.get(name) ?? 0;
        deploying.set(name, others + 1);
        const { replicas } = request;
        const more = others > 0 && typeof replicas === "number" ? { replicas: replicas + 1 } : {};
        try {
          return await honest.deploy({ ...request, ...more }, context);
        } finally {
          deploying.set(name, (deploying.get(name) ?? 1) - 1);
        }
      },
    }),
    caughtBy: [
      "idempotence.two-deploys-at-once-make-no-double",
      "deploy.over-a-left-over-revision",
      "rolling.the-old-go-in-the-end",
    ],
  },
  {
    name: "an image is another each time",
    lie: (honest) => ({
      identifyImage: async (...about) => another(await honest.identifyImage(...about)),
    }),
    caughtBy: ["idempotence.an-image-is-pinned-alike"],
  },
  {
    name: "a build is another each time",
    lie: (honest) => ({ buildImage: async (...about) => another(await honest.buildImage(...about)) }),
    caughtBy: ["idempotence.build-again-gives-the-same"],
  },
  {
    name: "provision starts what is new",
    lie: (honest) => ({
      async provision(request, context) {
        const { instance, spec } = request;
        const isThere = await honest.status({ instance }, context).then(
          () => true,
          () => false,
        );
        const result = await honest.provision(request, context);
        if (isThere || spec.image.kind !== "reference" || !spec.image.reference.startsWith("ok")) return result;
        const image = await honest.identifyImage({ instance, spec, cacheDir: tmpdir() }, context);
        await honest.deploy(firstOf(request, image), context);
        return result;
      },
    }),
    caughtBy: ["lifecycle.provision-runs-nothing", "verdicts.a-taken-port-is-told", "logs.a-deployment-has-its-lines"],
  },
];

function exceptCall(name: string): AroundCall {
  return (called, args, perform) => (called === name ? Promise.resolve() : perform(args));
}

function firstOf({ instance, spec }: ProvisionRequest, image: PinnedImage): DeployRequest {
  const release = {
    id: newId("rel"),
    number: 1,
    instance,
    spec,
    image,
    revision: revisionOf(spec, image),
    specHash: specHash(spec, image),
    change: 1,
    createdAt: new Date(0).toISOString(),
  };
  const journal = { decisions: [], decide: () => Promise.resolve() };
  const { strategy, scale } = spec;
  return { instance, release, replicas: scale.replicas, strategy, deployment: newId("dep"), journal };
}

/** It does not end by itself, nor is it deaf: what has to be waited for. */
function isLong({ release, previous }: DeployRequest): boolean {
  return previous === undefined && release.image.declared.startsWith("slow");
}

function another(image: PinnedImage): PinnedImage {
  return { ...image, digest: `sha256:${sha256(newId("rel"))}` };
}
