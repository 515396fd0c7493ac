import type { Release } from "../model/release.ts";
import type { ScheduleStatus } from "../model/schedule.ts";
import type { Clock } from "../provider/context.ts";
import type { ReplicaEnd } from "./replica-driver.ts";
import type { Machine } from "./simulated-machines.test.support.ts";

/** A job whose image is `done:MS` ends with 0 after that, `crash` with 1. */
export async function jobEnd(
  world: { readonly machines: readonly Machine[]; readonly now: number; readonly clock: Clock },
  id: string,
  signal: AbortSignal,
): Promise<ReplicaEnd> {
  for (;;) {
    const machine = world.machines.find((each) => each.id === id);
    if (machine === undefined) return { state: "unknown" };
    if (machine.state === "stopped") return { state: "unstarted" };
    if (machine.state === "exited") {
      if (machine.image.startsWith("done")) return { state: "completed", at: new Date(world.now).toISOString() };
      return { state: "failed", message: "failed", failure: { verdict: "EXITED", exitCode: 1 } };
    }
    await world.clock.sleep(50, signal);
  }
}

export function scheduleOf({ number, spec }: Release): ScheduleStatus {
  return { cron: spec.job?.schedule ?? "", timezone: spec.job?.timezone ?? "", release: number };
}
