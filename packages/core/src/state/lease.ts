import type { Clock, Fence, ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import { HeldLease, renewEveryMs } from "./held-lease.ts";
import { describeHolder, leaseHeld, leaseText, readLease } from "./lease-record.ts";
import type { LeaseHolder, LeaseRecord, StoredLease } from "./lease-record.ts";
import { isKnownDead } from "./process-identity.ts";
import { recordNames } from "./record-names.ts";

/** How long a lease runs that is not renewed, in milliseconds. */
export const leaseTtlMs = 15_000;
const pollMs = 500;

/** The right to change a stack on one platform. */
export interface Lease {
  readonly epoch: number;
  readonly fence: Fence;
  /** Aborts, with an error `CONFLICT`, as soon as it is known that the lease is lost. */
  readonly lost: AbortSignal;
  /** Stops renewing and gives the lease back. Never throws: what cannot be given back runs out by itself. */
  release(): Promise<void>;
}

export interface AcquireLeaseOptions {
  readonly ledger: Ledger;
  readonly stack: string;
  readonly tenant?: string;
  /** `currentHolder({ command })`. */
  readonly holder: LeaseHolder;
  readonly clock: Clock;
  /** Its signal ends the waiting; its fence is not asked. */
  readonly context: ProviderContext;
  /** How long to wait for a holder that is alive. Default: as long as a lease runs. 0: not at all. */
  readonly waitMs?: number;
  /** Called for each holder that is waited for. */
  readonly onWaiting?: (holder: LeaseHolder, since: string) => void;
}

/**
 * Takes the lease of a stack. A holder that is known to be dead is replaced at once; one whose record has not changed for as
 * long as its lease runs, by this process's monotonic clock, is replaced then; one that keeps renewing is waited for, and
 * at last throws `CONFLICT` with target `lease`.
 */
export async function acquireLease(options: AcquireLeaseOptions): Promise<Lease> {
  const { ledger, stack, holder, clock } = options;
  const name = leaseName(options);
  const context = unfenced(options.context, stack);
  const watch = new Watch(options);
  for (;;) {
    const found = await readLease(ledger, name, context);
    const sentAt = { monotonic: clock.monotonic(), wall: clock.now() };
    if (found === undefined || watch.mayReplace(found)) {
      const record = newRecord(found?.record, holder, clock);
      const version = await takeOver(ledger, name, record, found?.version, context);
      if (version !== undefined)
        return new HeldLease({ ...options, name, context, record, version, heldSince: sentAt });
      continue;
    }
    watch.wait(found);
    await clock.sleep(pollMs, context.signal);
  }
}

/** Who holds it, as far as the ledger says; undefined where nobody does. */
export async function leaseHolder(
  ledger: Ledger,
  of: { stack: string; tenant?: string },
  context: ProviderContext,
): Promise<LeaseRecord | undefined> {
  const found = await readLease(ledger, leaseName(of), context);
  return found === undefined || found.record.released ? undefined : found.record;
}

/** Takes the lease away, whoever holds it, and returns whose it was. The holder stops before its next write once it notices, within seconds. */
export async function breakLease(
  ledger: Ledger,
  of: { stack: string; tenant?: string },
  context: ProviderContext,
): Promise<LeaseRecord | undefined> {
  const name = leaseName(of);
  const plain = unfenced(context, of.stack);
  for (;;) {
    const found = await readLease(ledger, name, plain);
    if (found === undefined || found.record.released) return undefined;
    const broken: LeaseRecord = { ...found.record, epoch: found.record.epoch + 1, released: true };
    if ((await takeOver(ledger, name, broken, found.version, plain)) !== undefined) return found.record;
  }
}

export { describeHolder };

function leaseName(of: { stack: string; tenant?: string }): string {
  return recordNames(of).lease;
}

/** The lease's own writes prove their right by the version that they swap. */
function unfenced(context: ProviderContext, stack: string): ProviderContext {
  return { ...context, fence: { stack, epoch: 0, check: () => undefined } };
}

function newRecord(before: LeaseRecord | undefined, holder: LeaseHolder, clock: Clock): LeaseRecord {
  const since = new Date(clock.now()).toISOString();
  return { epoch: (before?.epoch ?? 0) + 1, holder, since, ttlMs: leaseTtlMs, renewals: 0, released: false };
}

/** The new version, or undefined where somebody was faster. */
async function takeOver(
  ledger: Ledger,
  name: string,
  record: LeaseRecord,
  version: string | undefined,
  context: ProviderContext,
): Promise<string | undefined> {
  try {
    if (version === undefined) return await ledger.create(name, leaseText(record), context);
    return await ledger.swap(name, leaseText(record), version, context);
  } catch (error) {
    if (isConflict(error, context)) return undefined;
    throw error;
  }
}

/** What was seen of the holder while waiting. */
class Watch {
  readonly #options: AcquireLeaseOptions;
  readonly #startedAt: number;
  readonly #waitMs: number;
  #version: string | undefined;
  #unchangedSince = 0;
  #wasRenewed = false;
  #told: string | undefined;

  constructor(options: AcquireLeaseOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#waitMs = options.waitMs ?? leaseTtlMs;
  }

  mayReplace(found: StoredLease): boolean {
    const now = this.#options.clock.monotonic();
    if (found.version !== this.#version) {
      this.#wasRenewed = this.#version !== undefined;
      this.#version = found.version;
      this.#unchangedSince = now;
    }
    if (found.record.released || isKnownDead(found.record.holder)) return true;
    return now - this.#unchangedSince >= found.record.ttlMs;
  }

  /** Throws where there is nothing to wait for any more. */
  wait({ record }: StoredLease): void {
    const { clock, onWaiting, stack } = this.#options;
    const now = clock.monotonic();
    const isOver = now - this.#startedAt >= this.#waitMs;
    // One that was not renewed for two turns is probably dead: then its lease runs out soon.
    const isAlive = this.#wasRenewed && now - this.#unchangedSince < 2 * renewEveryMs;
    if (isOver && (this.#waitMs === 0 || isAlive)) throw leaseHeld(stack, record);
    if (this.#told === record.holder.id) return;
    this.#told = record.holder.id;
    onWaiting?.(record.holder, record.since);
  }
}
