import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { Clock, Fence, ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import { HeldLease, renewEveryMs } from "./held-lease.ts";
import { describeHolder, leaseHeld, leaseText, parseLease, readLease } from "./lease-record.ts";
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
  /** Asks the ledger whether it is still held; what it finds is in `lost`. Never throws: what cannot be asked is not known. */
  confirm(): Promise<void>;
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
  let firstSentAt: { readonly monotonic: number; readonly wall: number } | undefined;
  for (;;) {
    const found = await readLease(ledger, name, context);
    const sentAt = { monotonic: clock.monotonic(), wall: clock.now() };
    // Our own write took effect, and what answered was a repetition of it: not another's, to be waited for.
    if (found !== undefined && firstSentAt !== undefined && isOwn(found.record, holder)) {
      const { record, version } = found;
      return new HeldLease({ ...options, name, context, record, version, heldSince: firstSentAt });
    }
    if (found === undefined || watch.mayReplace(found)) {
      const record = newRecord(found?.record, holder, clock);
      firstSentAt ??= sentAt;
      const version = await takeOver(ledger, name, record, found?.version, context);
      if (version !== undefined)
        return new HeldLease({ ...options, name, context, record, version, heldSince: sentAt });
      continue;
    }
    watch.wait(found);
    await pause(clock, stack, context.signal);
  }
}

/** A holder's id is made anew for each lease. */
function isOwn(record: LeaseRecord, holder: LeaseHolder): boolean {
  return record.holder.id === holder.id && !record.released;
}

async function pause(clock: Clock, stack: string, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(pollMs, signal);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new CtrlPlaneError("CANCELLED", `cancelled while waiting for the lease of ${stack}`, { cause });
  }
}

/** Who holds it, as far as can be known from here; undefined where nobody does, or where the holder is known to be dead. */
export async function leaseHolder(
  ledger: Ledger,
  of: { stack: string; tenant?: string },
  context: ProviderContext,
): Promise<LeaseRecord | undefined> {
  const found = await readLease(ledger, leaseName(of), context);
  return found === undefined || found.record.released || isKnownDead(found.record.holder) ? undefined : found.record;
}

/**
 * Takes the lease away, whoever holds it, and returns whose it was. The holder stops before its next write once it notices, within
 * seconds. A damaged record is replaced too, and then nobody knows whose it was.
 */
export async function breakLease(
  ledger: Ledger,
  of: { stack: string; tenant?: string },
  context: ProviderContext,
): Promise<LeaseRecord | undefined> {
  const name = leaseName(of);
  const plain = unfenced(context, of.stack);
  for (;;) {
    const stored = await ledger.read(name, plain);
    if (stored === undefined) return undefined;
    const record = readable(stored.value, name);
    if (record?.released === true) return undefined;
    const broken =
      record === undefined ? unknownLease(plain.clock) : { ...record, epoch: record.epoch + 1, released: true };
    if ((await takeOver(ledger, name, broken, stored.version, plain)) !== undefined) return record;
  }
}

export { describeHolder };

function leaseName(of: { stack: string; tenant?: string }): string {
  return recordNames(of).lease;
}

/** The lease's own writes prove their right by the version that they swap. */
function unfenced(context: ProviderContext, stack: string): ProviderContext {
  return { ...context, fence: { stack, epoch: 0, check: () => Promise.resolve() } };
}

function newRecord(before: LeaseRecord | undefined, holder: LeaseHolder, clock: Clock): LeaseRecord {
  const since = new Date(clock.now()).toISOString();
  return {
    epoch: before === undefined ? firstEpoch(clock) : before.epoch + 1,
    holder,
    since,
    ttlMs: leaseTtlMs,
    renewals: 0,
    released: false,
  };
}

/**
 * Higher than any epoch of a ledger that was lost or damaged, however many leases it saw: platforms remember epochs too, and would
 * refuse one that starts anew. Seconds pass faster than leases.
 */
function firstEpoch(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

function readable(text: string, name: string): LeaseRecord | undefined {
  try {
    return parseLease(text, name);
  } catch (error) {
    if (isCtrlPlaneError(error) && error.code === "INVALID") return undefined;
    throw error;
  }
}

function unknownLease(clock: Clock): LeaseRecord {
  const holder = { id: "unknown", user: "unknown", host: "unknown", pid: 0, command: "unknown" };
  return { ...newRecord(undefined, holder, clock), released: true };
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
    if (await isConflict(error, context)) return undefined;
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
