import { isCtrlPlaneError } from "@ctrlplane/core";
import type { Job, Reply } from "./children.ts";
import { carryOut, makePlane, parse } from "./plane.ts";
import type { Subject } from "./subject.ts";
import { Tap } from "./tap.ts";

/** A process that has loaded everything, and waits for the commands that are to be struck in it. */
function tell(reply: Reply): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(reply, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function work({ subject: url, site, step, fault }: Job): Promise<Reply> {
  const { subject } = (await import(url)) as { subject: Subject }; // what a subject's file exports
  const tap = new Tap(fault, {
    tellFrozen: () => tell({ kind: "frozen" }),
    kill: (who) => subject.kill?.(who, site),
  });
  const plane = makePlane(subject, site, tap);
  try {
    const exitCode = await carryOut(plane, await parse(subject, site, step.services), step);
    return { kind: "ended", exitCode, points: tap.points, isStruck: tap.isStruck };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = isCtrlPlaneError(error) ? error.code : "UNEXPECTED";
    return { kind: "ended", exitCode: 1, points: tap.points, isStruck: tap.isStruck, reason, code };
  } finally {
    await plane.close();
  }
}

process.on("message", (job: Job) => {
  work(job).then(tell, (error: unknown) => {
    throw error;
  });
});
process.on("disconnect", () => process.exit(0));
await tell({ kind: "ready" });
