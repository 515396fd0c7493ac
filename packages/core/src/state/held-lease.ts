import type { Fence, ProviderContext } from "../provider/context.ts";
import { isConflict } from "./conflict.ts";
import { messageOf } from "../errors/message-of.ts";
import type { Lease } from "./lease.ts";
import { describeHolder, leaseLost, leaseText, readLease } from "./lease-record.ts";
import { Renewals, type RenewalsOptions } from "./lease-renewals.ts";

export const renewEveryMs = 4_000;
const retryAfterMs = 1_000;
/** For how long a holder whose time is over goes on asking whether somebody took its place. */
const regainMs = 60_000;

interface HeldLeaseOptions extends RenewalsOptions {
  readonly stack: string;
}

interface Waker {
  readonly promise: Promise<void>;
  resolve(): void;
}

/**
 * A lease that was taken, and renews itself until it is released or lost. One that was not renewed in time is not lost yet: the write that renews
 * it proves that nobody took it meanwhile. Until then nothing is written under it.
 */
export class HeldLease implements Lease {
  readonly epoch: number;
  readonly fence: Fence;
  readonly #options: HeldLeaseOptions;
  readonly #renewals: Renewals;
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  readonly #renewing: Promise<void>;
  /** Wakes who waits until it is known whether the lease is held. */
  #known: Waker = Promise.withResolvers<void>();
  #isReleased = false;

  constructor(options: HeldLeaseOptions) {
    this.#options = options;
    this.#renewals = new Renewals(options);
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
      else if (!this.#renewals.isOurs(found.record)) this.#lose(`it was taken by ${describeHolder(found.record)}`);
    } catch (error) {
      context.log.warn("the lease could not be read", { error: messageOf(error) });
    }
  }

  async release(): Promise<void> {
    this.#stop.abort();
    // A renewal that is under way is let end: one that is cut may leave half of what it writes.
    await this.#renewing;
    this.#renewals.end();
    if (this.#lost.signal.aborted || this.#isReleased) return;
    // Nothing may be written under it any more, from before the moment at which others may take it.
    this.#isReleased = true;
    this.#tell();
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
    const { record, version } = this.#renewals.stored;
    try {
      await ledger.swap(name, leaseText({ ...record, released: true }), version, context);
    } catch (error) {
      if (!(await isConflict(error, context))) throw error;
      const found = await readLease(ledger, name, context);
      // A renewal whose answer was lost made another version; anything else is no more ours to give.
      if (found === undefined || !this.#renewals.isOurs(found.record)) return;
      await ledger.swap(name, leaseText({ ...found.record, released: true }), found.version, context);
    }
  }

  async #check(): Promise<void> {
    for (;;) {
      if (this.#isReleased) throw leaseLost(this.#options.stack, "it was given back");
      this.#lost.signal.throwIfAborted();
      if (this.#renewals.leftMs() > 0) return;
      await this.#known.promise;
    }
  }

  #tell(): void {
    this.#known.resolve();
    this.#known = Promise.withResolvers<void>();
  }

  #lose(why: string): void {
    this.#lost.abort(leaseLost(this.#options.stack, why));
    this.#tell();
  }

  async #renewUntilStopped(): Promise<void> {
    let pauseMs = renewEveryMs;
    while (await this.#pause(Math.min(pauseMs, Math.max(0, this.#renewals.leftMs())))) {
      pauseMs = (await this.#renew()) ? renewEveryMs : retryAfterMs;
      if (this.#renewals.leftMs() <= 0) await this.#regain();
      if (this.#lost.signal.aborted) return;
    }
  }

  /** Asks until it is known whether the lease is still held, or nobody wants to know any more. */
  async #regain(): Promise<void> {
    const { clock, context } = this.#options;
    const since = clock.monotonic();
    while (this.#renewals.leftMs() <= 0 && !this.#lost.signal.aborted) {
      const isOver = clock.monotonic() - since >= regainMs || context.signal.aborted;
      if (isOver) this.#loseLate();
      else if (await this.#pause(retryAfterMs)) await this.#renew();
      else return;
    }
  }

  #loseLate(): void {
    const { trouble } = this.#renewals;
    this.#lose(`it could not be renewed in time${trouble === undefined ? "" : ` (${trouble})`}`);
  }

  #renew(): Promise<boolean> {
    return this.#renewals.send((outcome) => {
      if (outcome === "taken") this.#lose(this.#renewals.trouble ?? "it was taken");
      else this.#tell();
    });
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

  /** Not the command's signal: an interrupted command still finishes its step under the lease. */
  #ownContext(): ProviderContext {
    return { ...this.#options.context, signal: new AbortController().signal };
  }
}
