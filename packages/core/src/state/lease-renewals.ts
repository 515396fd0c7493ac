import type { Clock, ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import { describeHolder, leaseText, readLease } from "./lease-record.ts";
import type { LeaseRecord, StoredLease } from "./lease-record.ts";
import { messageOf } from "../errors/message-of.ts";

/** After it another one is sent: one call that hangs must not cost the lease. */
const attemptMs = 3_000;
/** A holder stops this long before others may replace it: what it sent last has time to arrive. */
const marginMs = 2_000;

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export interface RenewalsOptions {
  readonly ledger: Ledger;
  readonly name: string;
  readonly clock: Clock;
  readonly context: ProviderContext;
  readonly record: LeaseRecord;
  readonly version: string;
  /** Before the write that took it was sent. */
  readonly heldSince: Moment;
}

/** What became of a renewal. `ours`: an earlier one took effect, whose answer was not waited for. */
type Outcome =
  | { readonly kind: "renewed" | "ours"; readonly stored: StoredLease }
  | { readonly kind: "taken" | "failed"; readonly why: string };

/** The writes that renew a lease, and until when what is known of them says that it is held. */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #over = new AbortController();
  /** When each was sent of which it is not known whether it took effect, by its number. */
  readonly #sent = new Map<number, Moment>();
  #attempts: number;
  #stored: StoredLease;
  #heldSince: Moment;
  #trouble: string | undefined;

  constructor(options: RenewalsOptions) {
    this.#options = options;
    this.#stored = { record: options.record, version: options.version };
    this.#attempts = options.record.renewals;
    this.#heldSince = options.heldSince;
  }

  /** As it lies in the ledger, as far as is known. */
  get stored(): StoredLease {
    return this.#stored;
  }

  /** Why the last one failed, if it did. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * For how long it is held for certain. By the clock that never goes back; and by the wall clock of this machine too, because the former
   * stands still while a machine sleeps. Setting the clock forward so has the ledger asked once more, and never makes two writers.
   */
  leftMs(): number {
    const { clock } = this.#options;
    const passed = Math.max(clock.monotonic() - this.#heldSince.monotonic, clock.now() - this.#heldSince.wall);
    return this.#stored.record.ttlMs - marginMs - passed;
  }

  /**
   * Sends one; true where it is answered soon, and took effect. One that is not waited for any more may still be answered, or be found in
   * the ledger by the next one: `told` is called whenever it is. Who took the lease is in `trouble`.
   */
  async send(told: (outcome: "held" | "taken") => void): Promise<boolean> {
    const { clock } = this.#options;
    const record: LeaseRecord = { ...this.#stored.record, renewals: (this.#attempts += 1) };
    this.#sent.set(record.renewals, { monotonic: clock.monotonic(), wall: clock.now() });
    const answered = new AbortController();
    const attempt = this.#swap(record).then((outcome) => {
      answered.abort();
      return this.#accept(outcome, told);
    });
    return Promise.race([attempt, this.#late(answered.signal)]);
  }

  /** Ends those that are under way: nobody wants to know any more. */
  end(): void {
    this.#over.abort();
  }

  isOurs({ epoch, holder, released }: LeaseRecord): boolean {
    const own = this.#stored.record;
    return epoch === own.epoch && holder.id === own.holder.id && !released;
  }

  #accept(outcome: Outcome, told: (outcome: "held" | "taken") => void): boolean {
    if (this.#over.signal.aborted) return false;
    if ("why" in outcome) {
      this.#trouble = outcome.why;
      if (outcome.kind === "taken") told("taken");
      return false;
    }
    const sentAt = this.#sent.get(outcome.stored.record.renewals);
    // Another answer told of it already.
    if (sentAt === undefined) return false;
    this.#stored = outcome.stored;
    // Nobody began to wait for its end before it was sent.
    this.#heldSince = sentAt;
    this.#sent.clear();
    this.#trouble = undefined;
    told("held");
    return outcome.kind === "renewed";
  }

  async #late(answered: AbortSignal): Promise<false> {
    try {
      await this.#options.clock.sleep(attemptMs, answered);
      this.#trouble = "the ledger does not answer";
    } catch (error) {
      if (!answered.aborted) throw error;
    }
    return false;
  }

  async #swap(record: LeaseRecord): Promise<Outcome> {
    const { ledger, name, context } = this.#options;
    try {
      const version = await ledger.swap(name, leaseText(record), this.#stored.version, this.#ownContext());
      return { kind: "renewed", stored: { record, version } };
    } catch (error) {
      if (await isConflict(error, context)) return this.#judge();
      // Nobody wants to know any more.
      if (!this.#over.signal.aborted)
        context.log.warn("the lease could not be renewed yet", { error: messageOf(error) });
      return { kind: "failed", why: messageOf(error) };
    }
  }

  /** The version is another: taken by somebody, or our own renewal whose answer was lost. */
  async #judge(): Promise<Outcome> {
    const { ledger, name, context } = this.#options;
    try {
      const found = await readLease(ledger, name, this.#ownContext());
      if (found !== undefined && this.isOurs(found.record)) return { kind: "ours", stored: found };
      const why = found === undefined ? "it was removed" : `it was taken by ${describeHolder(found.record)}`;
      return { kind: "taken", why };
    } catch (error) {
      context.log.warn("the lease could not be read", { error: messageOf(error) });
      return { kind: "failed", why: messageOf(error) };
    }
  }

  /** Not the command's signal: an interrupted command still finishes its step under the lease. */
  #ownContext(): ProviderContext {
    return { ...this.#options.context, signal: this.#over.signal };
  }
}
