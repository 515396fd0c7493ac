import { CtrlPlaneError, replicaName } from "@ctrlplane/core/provider";
import type { ProviderContext, StartAdoptedRequest } from "@ctrlplane/core/provider";
import { mappedEngine, segment } from "@ctrlplane/images";
import { legacyOrdinal, underItsName } from "./adopted-replicas.ts";
import { plainName, type Adoption, type Adoptions } from "./adoption.ts";
import { inspect } from "./containers.ts";
import type { ContainerDetails } from "./engine-types.ts";
import type { InstanceRecords } from "./instance-records.ts";
import { endedBy, failed, startError } from "./verdicts.ts";
import { unlessGone } from "./wait-ready.ts";
import { watching, type WatchParts } from "./watched-container.ts";

/** A container without a health check has come up when it has lived this long. */
const aliveMs = 5000;
const pollMs = 250;

/** `Provider.startAdopted`. What is to run is on record before anything is started. */
export async function startAdopted(
  parts: WatchParts & { readonly records: InstanceRecords; readonly adoptions: Adoptions },
  { instance, timeoutMs }: StartAdoptedRequest,
  context: ProviderContext,
): Promise<void> {
  const { engine, records, adoptions } = parts;
  const { name } = instance;
  await mappedEngine(name, async () => {
    const adoption = await adoptions.read(instance, context.signal);
    const found = await Promise.all((adoption?.containers ?? []).map((id) => inspect(engine, id, context.signal)));
    const there = found.flatMap((each) => each ?? []);
    if (adoption === undefined || there.length === 0) throw gone(name, "the");
    const wanted = there.filter((each) => isWanted(each, name, adoption));
    const { labels: _, isDoubled: __, ...rest } = adoption;
    await adoptions.write(instance, { ...rest, running: wanted.map(({ Id }) => Id) }, context);
    await records.change(instance, (record) => ({ ...record, stopped: false }), context);
    const ends = await Promise.allSettled(wanted.map((each) => comeUp(parts, each, timeoutMs, context)));
    for (const each of ends) if (each.status === "rejected") throw each.reason;
    const missing = (adoption.replicas ?? 0) - wanted.filter((each) => isOfScale(each, name, adoption)).length;
    if (missing > 0) throw gone(name, `${missing} of the ${adoption.replicas}`);
  });
}

/** Those of its last scale, stopped by whomever; of what an earlier scale left only what ran. */
function isWanted(details: ContainerDetails, name: string, adoption: Adoption): boolean {
  return adoption.running.includes(details.Id) || isOfScale(details, name, adoption);
}

function isOfScale({ Name }: ContainerDetails, name: string, { replicas = 0 }: Adoption): boolean {
  const own = plainName(Name.slice(1));
  const ordinal = legacyOrdinal(own, name);
  return ordinal <= replicas && own === replicaName(name, ordinal, replicas);
}

async function comeUp(
  parts: WatchParts,
  details: ContainerDetails,
  timeoutMs: number,
  context: ProviderContext,
): Promise<void> {
  const { engine } = parts;
  const replica = { id: details.Id, name: plainName(details.Name.slice(1)) };
  await underItsName(engine, details, context);
  // To be waited for is what was started here.
  if (details.State.Running) return;
  await context.fence.check();
  try {
    await engine.json({ method: "POST", path: `/containers/${segment(replica.id)}/start`, signal: context.signal });
  } catch (error) {
    throw await startError(engine, error, replica, context.signal);
  }
  await waitUp(parts, replica, timeoutMs, context);
  context.progress({ type: "replica.ready", message: "ready", replica: replica.name });
}

function waitUp(
  parts: WatchParts,
  replica: { readonly id: string; readonly name: string },
  timeoutMs: number,
  context: ProviderContext,
): Promise<void> {
  const { engine } = parts;
  const { clock } = context;
  const until = clock.monotonic() + timeoutMs;
  const aliveAt = clock.monotonic() + aliveMs;
  return watching(parts, replica.id, context, async (container) => {
    for (;;) {
      const isLast = clock.monotonic() >= until;
      const details = unlessGone(await (isLast ? container.ask() : container.look()), replica);
      const { State, RestartCount } = details;
      if (!State.Running || RestartCount > 0) throw await endedBy(engine, details, RestartCount > 0);
      const health = State.Health?.Status ?? "none";
      if (health === "none" && clock.monotonic() >= aliveAt && (await container.isStill(details))) return;
      if (health === "healthy") return;
      if (health === "unhealthy") throw await failed(engine, details, "UNHEALTHY", "its health check failed");
      if (isLast && health !== "none")
        throw await failed(engine, details, "UNHEALTHY", `not healthy within ${timeoutMs / 1000} s`);
      await container.rest(pollMs);
    }
  });
}

function gone(name: string, what: string): CtrlPlaneError {
  return new CtrlPlaneError("NOT_FOUND", `${what} containers that pctl 1.1 made for ${name} are gone`, {
    target: name,
    hint: "pctl deploy makes it anew, as a release.",
  });
}
