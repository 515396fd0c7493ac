import { CtrlPlaneError } from "../errors/error.ts";
import type { Clock, ProviderContext } from "../provider/context.ts";
import { isConflict } from "./conflict.ts";
import { fileLedger } from "./file-ledger.ts";
import { currentHolder, isKnownDead } from "./process-identity.ts";
import type { LeaseHolder } from "./lease-record.ts";
import { readRecord, writeRecord } from "./record-text.ts";

/** Far longer than anybody writes a file. */
const patienceMs = 10_000;
const pollMs = 20;

/**
 * Runs `work` while no other process does so for this name. Killed holders are replaced at once, those of another machine when
 * nothing changed for 10 s; a living one is waited for as long, then `CONFLICT`. `folder` holds the locks.
 */
export async function withProcessLock<T>(
  folder: string,
  name: string,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T> {
  const ledger = fileLedger(folder, "machine");
  const context = lockContext(clock);
  const text = writeRecord("lock", { holder: currentHolder({ command: "write" }) });
  const startedAt = clock.monotonic();
  const version = await acquire();
  try {
    return await work();
  } finally {
    await ledger.remove(name, version, context);
  }

  async function acquire(): Promise<string> {
    for (let seen: string | undefined, seenAt = startedAt; ; await clock.sleep(pollMs)) {
      try {
        return await ledger.create(name, text, context);
      } catch (error) {
        if (!(await isConflict(error, context))) throw error;
      }
      const found = await ledger.read(name, context);
      if (found === undefined) continue;
      const { holder } = readRecord<{ holder: LeaseHolder }>("lock", found.value, name, { holder: "object" });
      if (found.version !== seen) [seen, seenAt] = [found.version, clock.monotonic()];
      const isOurMachine = holder.hostId !== undefined && holder.hostId === currentHolder({ command: "" }).hostId;
      const isStale = clock.monotonic() - seenAt >= patienceMs;
      if (isKnownDead(holder) || (isStale && !isOurMachine)) await removeStale(found.version);
      else if (clock.monotonic() - startedAt >= patienceMs) throw busy(name, holder);
    }
  }

  async function removeStale(stale: string): Promise<void> {
    try {
      await ledger.remove(name, stale, context);
    } catch (error) {
      // Somebody else was faster.
      if (!(await isConflict(error, context))) throw error;
    }
  }
}

function busy(name: string, holder: LeaseHolder): CtrlPlaneError {
  return new CtrlPlaneError(
    "CONFLICT",
    `${name} is being written by ${holder.user} on ${holder.host} (pid ${holder.pid})`,
    {
      target: name,
      retryable: true,
      hint: "Wait until that process has ended, or end it.",
    },
  );
}

/** Writing a file of ours needs no lease. */
function lockContext(clock: Clock): ProviderContext {
  const unused = (): never => {
    throw new CtrlPlaneError("INTERNAL", "a lock seals nothing");
  };
  return {
    signal: new AbortController().signal,
    clock,
    log: { debug: () => undefined, warn: () => undefined },
    progress: () => undefined,
    fence: { stack: "", epoch: 0, check: () => Promise.resolve() },
    sealer: { seal: unused, open: unused },
  };
}
