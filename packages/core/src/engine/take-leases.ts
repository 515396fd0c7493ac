import { acquireLease, type Lease } from "../state/lease.ts";
import { currentHolder } from "../state/process-identity.ts";
import type { EventStream } from "../apply/event-stream.ts";
import { readContext, type Core } from "../platforms/core.ts";
import type { ChangeRequest } from "./run-change.ts";
import { stackScope } from "../platforms/bind.ts";
import type { Survey } from "./survey.ts";

/** One lease per platform, in the order of their ids, so that two changes never wait for each other. */
export async function takeLeases(
  core: Core,
  request: ChangeRequest,
  survey: Survey,
  platformIds: readonly string[],
  events: EventStream,
): Promise<Map<string, Lease>> {
  const { stack, options, command } = request;
  const leases = new Map<string, Lease>();
  try {
    for (const id of platformIds) {
      const platform = survey.platforms.platforms.get(id);
      if (platform === undefined) continue;
      const lease = await acquireLease({
        ledger: platform.records,
        ...stackScope(stack),
        holder: currentHolder({ command, user: core.actor.user, host: core.actor.host }),
        clock: core.clock,
        context: readContext(core, stack.name, options.signal),
        ...(options.lockWaitMs === undefined ? {} : { waitMs: options.lockWaitMs }),
        onWaiting: (holder, since) => {
          const message = `waits for ${holder.user} on ${holder.host} (${holder.command}, pid ${holder.pid})`;
          events.push({
            type: "lease.waiting",
            level: "warn",
            message,
            data: { user: holder.user, host: holder.host, pid: holder.pid, command: holder.command, since },
          });
        },
      });
      leases.set(id, lease);
    }
    return leases;
  } catch (error) {
    await releaseAll(leases);
    throw error;
  }
}

export async function releaseAll(leases: ReadonlyMap<string, Lease>): Promise<void> {
  await Promise.all([...leases.values()].map((lease) => lease.release()));
}
