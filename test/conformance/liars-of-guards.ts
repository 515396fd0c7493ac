import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { withContext, type Liar } from "./liar.ts";

const noCheck = (): Promise<void> => Promise.resolve();

/** Lies about leases, cancellation, errors and what is told on the way. */
export const liarsOfGuards: readonly Liar[] = [
  {
    name: "cancellation is ignored",
    lie: (honest) => withContext(honest, (context) => ({ ...context, signal: new AbortController().signal })),
    caughtBy: [
      "idempotence.a-cancelled-deploy-goes-on",
      "jobs.an-attempt-is-waited-for",
      "logs.follow-gives-what-comes",
      "cancellation.before-it-begins",
      "cancellation.ends-a-wait",
      "cancellation.takes-nothing-back",
      "cancellation.of-a-stop-can-be-repeated",
      "cancellation.of-a-removal-can-be-repeated",
    ],
  },
  {
    name: "the fence is ignored",
    lie: (honest) =>
      withContext(honest, (context) => ({
        ...context,
        fence: { stack: context.fence.stack, epoch: 0, check: noCheck },
      })),
    caughtBy: [
      "fencing.an-old-holder-deploys-nothing",
      "fencing.an-old-holder-rolls-nothing-back",
      "fencing.an-old-holder-stops-nothing",
      "fencing.an-old-holder-restarts-nothing",
      "fencing.an-old-holder-removes-nothing",
      "fencing.an-old-holder-provisions-nothing",
      "fencing.a-lease-lost-in-the-middle",
      "fencing.the-new-holder-goes-on",
      "fencing.an-old-holder-scales-nothing",
    ],
  },
  {
    name: "the fence is looked at once",
    lie: (honest) =>
      withContext(honest, (context) => {
        const first = context.fence.check();
        // Of a call that writes nothing nobody waits for it.
        first.catch(() => undefined);
        return { ...context, fence: { stack: context.fence.stack, epoch: 0, check: () => first } };
      }),
    caughtBy: ["fencing.an-old-holder-removes-nothing", "fencing.a-lease-lost-in-the-middle"],
  },
  {
    name: "no progress is told",
    lie: (honest) => withContext(honest, (context) => ({ ...context, progress: () => undefined })),
    caughtBy: ["errors.progress-tells-of-replicas"],
  },
  {
    name: "an error shows the environment",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request, context).catch((error: unknown) => {
          throw withEnvironment(error, request.release.spec.env);
        }),
    }),
    caughtBy: ["errors.a-failure-shows-no-environment"],
  },
  {
    name: "what is missing shows the environment",
    lie: (honest) => ({
      identifyImage: (request, context) =>
        honest.identifyImage(request, context).catch((error: unknown) => {
          throw withEnvironment(error, request.spec.env);
        }),
    }),
    caughtBy: ["errors.a-missing-program-shows-no-environment"],
  },
];

function withEnvironment(error: unknown, env: Readonly<Record<string, string>>): unknown {
  if (!isCtrlPlaneError(error)) return error;
  return new CtrlPlaneError(error.code, `${error.message} with ${JSON.stringify(env)}`, error);
}
