import type { Clock, Fence, ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import type { Lease } from "./lease.ts";
import { describeHolder, leaseLost, leaseText, readLease } from "./lease-record.ts";
import type { LeaseRecord } from "./lease-record.ts";

export const renewEveryMs = 4_000;
const retryAfterMs = 1_000;
/** A holder stops this long before others may replace it: what it sent last has time to arrive. */
const marginMs = 2_000;

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

interface HeldLeaseOptions {
  readonly ledger: Ledger;
  readonly stack: string;
  readonly name: string;
  readonly clock: Clock;
  readonly context: ProviderContext;
  readonly record: LeaseRecord;
  readonly version: string;
  /** Before the write that took it was sent. */
  readonly heldSince: Moment;
}

/** A lease that was taken, and renews itself until it is released or lost. */
export class HeldLease implements Lease {
  readonly epoch: number;
  readonly fence: Fence;
  readonly #options: HeldLeaseOptions;
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  readonly #renewing: Promise<void>;
  #record: LeaseRecord;
  #version: string;
  #heldSince: Moment;
  #isReleased = false;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#version = options.version;
    this.#heldSince = options.heldSince;
    this.epoch = options.record.epoch;
    this.fence = { stack: options.stack, epoch: this.epoch, check: () => this.#check() };
    this.#renewing = this.#renewUntilStopped();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async confirm(): Promise<void> {
    const { ledger, name, context } = this.#options;
    try {
      const found = await readLease(ledger, name, this.#ownContext());
      if (found === undefined) this.#lose("it was removed");
      else if (!this.#isOurs(found.record)) this.#lose(`it was taken by ${describeHolder(found.record)}`);
    } catch (error) {
      context.log.warn("the lease could not be read", { error: messageOf(error) });
    }
  }

  async release(): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
    if (this.#lost.signal.aborted || this.#isReleased) return;
    // Nothing may be written under it any more, from before the moment at which others may take it.
    this.#isReleased = true;
    try {
      await this.#giveBack();
    } catch (error) {
      this.#options.context.log.warn("the lease could not be given back; it runs out by itself", {
        error: messageOf(error),
      });
    }
  }

  async #giveBack(): Promise<void> {
    const { ledger, name } = this.#options;
    const context = this.#ownContext();
    try {
      await ledger.swap(name, leaseText({ ...this.#record, released: true }), this.#version, context);
    } catch (error) {
      if (!isConflict(error, context)) throw error;
      const found = await readLease(ledger, name, context);
      // A renewal whose answer was lost made another version; anything else is no more ours to give.
      if (found === undefined || !this.#isOurs(found.record)) return;
      await ledger.swap(name, leaseText({ ...found.record, released: true }), found.version, context);
    }
  }

  #isOurs(record: LeaseRecord): boolean {
    return record.epoch === this.epoch && record.holder.id === this.#record.holder.id && !record.released;
  }

  #check(): void {
    if (this.#isReleased) throw leaseLost(this.#options.stack, "it was given back");
    if (!this.#lost.signal.aborted && this.#leftMs() <= 0) this.#lose("it was not renewed in time");
    this.#lost.signal.throwIfAborted();
  }

  /**
   * By the clock that never goes back; and by the wall clock of this machine too, because the former stands still while a
   * machine sleeps. Setting the clock forward may so cost a lease, and never two writers.
   */
  #leftMs(): number {
    const { clock } = this.#options;
    const passed = Math.max(clock.monotonic() - this.#heldSince.monotonic, clock.now() - this.#heldSince.wall);
    return this.#record.ttlMs - marginMs - passed;
  }

  #lose(why: string): void {
    this.#lost.abort(leaseLost(this.#options.stack, why));
  }

  async #renewUntilStopped(): Promise<void> {
    let pauseMs = renewEveryMs;
    while (await this.#pause(Math.max(0, Math.min(pauseMs, this.#leftMs())))) {
      if (this.#leftMs() <= 0) return this.#lose("it could not be renewed in time");
      pauseMs = (await this.#renew()) ? renewEveryMs : retryAfterMs;
      if (this.#lost.signal.aborted) return;
    }
  }

  /** False once the lease is released. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await this.#options.clock.sleep(ms, this.#stop.signal);
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      throw error;
    }
  }

  /** True where it was renewed; false where the ledger could not be asked. */
  async #renew(): Promise<boolean> {
    const { clock } = this.#options;
    const sentAt = { monotonic: clock.monotonic(), wall: clock.now() };
    const settled = new AbortController();
    const deadline = this.#deadline(settled.signal);
    const attempt = this.#swap(settled.signal);
    const outcome = await Promise.race([attempt, deadline]);
    settled.abort();
    await deadline;
    if (outcome === "renewed") this.#heldSince = sentAt;
    return outcome === "renewed";
  }

  /** A ledger that never answers must not keep a lease alive. */
  async #deadline(settled: AbortSignal): Promise<"late"> {
    try {
      await this.#options.clock.sleep(Math.max(0, this.#leftMs()), settled);
    } catch (error) {
      if (!settled.aborted) throw error;
    }
    return "late";
  }

  async #swap(signal: AbortSignal): Promise<"renewed" | "lost" | "failed"> {
    const { ledger, name, context } = this.#options;
    const next: LeaseRecord = { ...this.#record, renewals: this.#record.renewals + 1 };
    try {
      this.#version = await ledger.swap(name, leaseText(next), this.#version, this.#ownContext(signal));
      this.#record = next;
      return "renewed";
    } catch (error) {
      if (!isConflict(error, context)) {
        context.log.warn("the lease could not be renewed yet", { error: messageOf(error) });
        return "failed";
      }
    }
    return this.#judge(signal);
  }

  /** The version is another: taken by somebody, or our own renewal whose answer was lost. */
  async #judge(signal: AbortSignal): Promise<"renewed" | "lost" | "failed"> {
    const { ledger, name, context } = this.#options;
    try {
      const found = await readLease(ledger, name, this.#ownContext(signal));
      if (found !== undefined && this.#isOurs(found.record)) {
        this.#record = found.record;
        this.#version = found.version;
        // Renewed at some moment that is not known: `#heldSince` stays, and the next renewal follows soon.
        return "failed";
      }
      this.#lose(found === undefined ? "it was removed" : `it was taken by ${describeHolder(found.record)}`);
      return "lost";
    } catch (error) {
      context.log.warn("the lease could not be read", { error: messageOf(error) });
      return "failed";
    }
  }

  /** Not the command's signal: an interrupted command still finishes its step under the lease. */
  #ownContext(signal: AbortSignal = new AbortController().signal): ProviderContext {
    return { ...this.#options.context, signal };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
