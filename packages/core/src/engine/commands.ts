import { CtrlPlaneError } from "../errors/error.ts";
import type { Stack } from "../model/stack.ts";
import type { CommandOptions } from "../control-plane.ts";
import type { KnownInstance } from "../plan/input.ts";
import type { ExecSession } from "../provider/requests.ts";
import { readContext, type Core } from "../platforms/core.ts";
import { knownInstances, refuseUntouchable } from "./known.ts";
import { refuseUnnamed, withoutRelease } from "./refuse-legacy.ts";
import { checkServices } from "./service-names.ts";
import { requireProvider } from "../platforms/bind.ts";
import { survey, type Survey } from "./survey.ts";

/** A command in a replica that runs. */
export async function execInService(
  core: Core,
  stack: Stack,
  service: string,
  options: CommandOptions,
): Promise<ExecSession> {
  const context = readContext(core, stack.name, options.signal);
  const { seen, known } = await find(core, stack, service, options);
  const { provider } = requireProvider(seen.platforms, known.instance.provider);
  if (known.observed === undefined) throw notDeployed(service);
  refuseUntouchable(known, seen);
  refuseUnnamed(known, seen);
  const request = {
    instance: known.instance,
    command: options.command,
    ...(options.replica === undefined ? {} : { replica: options.replica }),
    ...(options.terminal === undefined ? {} : { terminal: options.terminal }),
  };
  return provider.exec(request, context);
}

/** A command in a fresh replica of a release, which nothing is routed to. */
export async function runInService(
  core: Core,
  stack: Stack,
  service: string,
  options: Omit<CommandOptions, "command"> & { readonly command?: readonly string[]; readonly release?: number },
): Promise<ExecSession> {
  const context = readContext(core, stack.name, options.signal);
  const { seen, known } = await find(core, stack, service, options);
  const { instance } = known;
  const { provider, platform } = requireProvider(seen.platforms, instance.provider);
  const number = options.release ?? known.observed?.settled?.number;
  if (number === undefined) {
    if (known.observed?.isLegacy !== true) throw notDeployed(service);
    refuseUnnamed(known, seen);
    throw withoutRelease(service, "run", `pctl exec ${service} needs none`);
  }
  const release = await platform.ledger.release(service, number, context);
  if (release === undefined) {
    throw new CtrlPlaneError("NOT_FOUND", `${service} has no release ${number}`, {
      target: service,
      hint: `Releases on record: ${known.releases.join(", ") || "none"}.`,
    });
  }
  const request = {
    instance,
    release: { ...release, instance },
    ...(options.command === undefined ? {} : { command: options.command }),
    ...(options.terminal === undefined ? {} : { terminal: options.terminal }),
  };
  return provider.run(request, context);
}

async function find(
  core: Core,
  stack: Stack,
  service: string,
  { signal, provider }: Pick<CommandOptions, "signal" | "provider">,
): Promise<{ seen: Survey; known: KnownInstance }> {
  const seen = await survey(core, stack, readContext(core, stack.name, signal));
  const instances = knownInstances(stack, seen);
  checkServices(stack, seen, instances, [service]);
  const all = [...instances.values()].filter((each) => each.instance.service === service);
  const there = all.filter(({ instance }) => provider === undefined || instance.provider === provider);
  const known = there.find(isReady) ?? there.find((each) => each.observed !== undefined) ?? there[0];
  if (known !== undefined) return { seen, known };
  if (provider === undefined) throw notDeployed(service);
  const names = all.map(({ instance }) => instance.provider).join(", ");
  throw new CtrlPlaneError("INVALID", `${service} is not on ${provider}`, {
    target: service,
    hint: `It is on ${names}.`,
  });
}

function isReady({ observed }: KnownInstance): boolean {
  return observed?.revisions.some((each) => each.ready > 0) === true;
}

function notDeployed(service: string): CtrlPlaneError {
  return new CtrlPlaneError("NOT_FOUND", `${service} is not deployed`, {
    target: service,
    hint: `pctl deploy ${service} brings it up.`,
  });
}
