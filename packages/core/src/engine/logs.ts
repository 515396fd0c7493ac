import { CtrlPlaneError } from "../errors/error.ts";
import type { Stack } from "../model/stack.ts";
import type { StackLogLine, StackLogOptions } from "../control-plane.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { LogsRequest } from "../provider/requests.ts";
import { readContext, type Core } from "../platforms/core.ts";
import { knownInstances } from "./known.ts";
import { merge } from "./merge.ts";
import { checkServices } from "./service-names.ts";
import { requireProvider } from "../platforms/bind.ts";
import { survey, type Survey } from "./survey.ts";
import { refuseUnseen } from "./unreachable.ts";

/** Lines of several services as they come; of one change, all that its replicas printed, failed and retired ones included. */
export async function* stackLogs(
  core: Core,
  stack: Stack,
  options: StackLogOptions,
): AsyncGenerator<StackLogLine, void, void> {
  const services = options.services ?? [];
  const context = readContext(core, stack.name, options.signal);
  const seen = await survey(core, stack, context);
  const known = knownInstances(stack, seen);
  checkServices(stack, seen, known, services);
  const wanted = [...known.values()].filter(
    (each) => services.length === 0 || services.includes(each.instance.service),
  );
  const requests = await Promise.all(wanted.map((each) => requestsFor(seen, each, options, context)));
  if (requests.flat().length === 0) {
    refuseUnseen(
      seen,
      wanted.map(({ instance }) => instance.provider),
    );
    throw new CtrlPlaneError(
      "NOT_FOUND",
      `nothing of ${services.join(", ") || stack.name} has logs${options.change === undefined ? "" : ` in change #${options.change}`}`,
      { hint: "pctl status shows what runs." },
    );
  }
  yield* wanted.flatMap((each) => unseen(seen, each));
  yield* merge(requests.flat().map((request) => linesOf(seen, request, context)));
}

/** What is to be read beside it is read; this says that it is not all. */
function unseen(seen: Survey, { instance }: KnownInstance): StackLogLine[] {
  const { service, provider } = instance;
  const bound = seen.platforms.providers.get(provider);
  if (bound === undefined || !("problem" in bound)) return [];
  const text = `${provider} cannot be reached: ${bound.problem.message}`;
  return [{ service, provider, replica: instance.name, stream: "both", text, isUnreachable: true }];
}

async function* linesOf(
  seen: Survey,
  request: LogsRequest,
  context: ProviderContext,
): AsyncGenerator<StackLogLine, void, void> {
  const { provider } = requireProvider(seen.platforms, request.instance.provider);
  for await (const line of provider.logs(request, context)) {
    const { service, provider: name } = request.instance;
    yield { ...line, service, provider: name };
  }
}

async function requestsFor(
  seen: Survey,
  known: KnownInstance,
  options: StackLogOptions,
  context: ProviderContext,
): Promise<LogsRequest[]> {
  const { instance } = known;
  const at = seen.surveys.get(instance.platformId);
  if (at === undefined) return [];
  const base: LogsRequest = {
    instance,
    follow: options.follow ?? false,
    previous: options.previous ?? false,
    ...(options.since === undefined ? {} : { since: options.since }),
    ...(options.tail === undefined ? {} : { tail: options.tail }),
    ...(options.replica === undefined ? {} : { replica: options.replica }),
  };
  if (options.change === undefined) return known.observed === undefined ? [] : [base];
  const ended = await at.platform.ledger.deployments(options.change, context);
  const unfinished = known.unfinished?.change === options.change ? [known.unfinished.deployment] : [];
  const ids = [...ended.filter((each) => each.service === instance.service).map((each) => each.id), ...unfinished];
  return [...new Set(ids)].map((deployment) => ({ ...base, deployment }));
}
