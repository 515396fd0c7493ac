import { CtrlPlaneError } from "../errors/error.ts";
import type { Change, ChangeResult } from "../model/change.ts";
import type { Release } from "../model/release.ts";
import type { ProviderContext, Sealer } from "../provider/context.ts";
import type { CreateRecordOptions, Ledger } from "../provider/ledger.ts";
import type { RolloutDecision } from "../rollout/journal.ts";
import { ChangeRecords } from "./change-records.ts";
import type { ChangeRecord } from "./change-records.ts";
import { IntentRecords } from "./intent-records.ts";
import type { DeploymentRecord, Intent, RunRecord } from "./intent.ts";
import { RunRecords } from "./run-records.ts";
import { isConflict } from "./conflict.ts";
import { readRecord, writeRecord } from "./record-text.ts";
import { recordNames } from "./record-names.ts";
import type { RecordNames, StackScope } from "./record-names.ts";
import { ReleaseRecords } from "./release-records.ts";
import type { ReleaseNumbers } from "./release-records.ts";
import type { OpenedRelease } from "./sealed-release.ts";

/**
 * What the ledger of one platform knows of one stack: lineage, changes, releases, intents. Every write checks the fence first, and
 * what was written under a later epoch is never replaced: `CONFLICT`. Reading what is damaged throws `INVALID`.
 */
export class StackLedger {
  readonly ledger: Ledger;
  readonly #names: RecordNames;
  readonly #changes: ChangeRecords;
  readonly #releases: ReleaseRecords;
  readonly #intents: IntentRecords;
  readonly #runs: RunRecords;

  constructor(ledger: Ledger, of: StackScope, sealer: Sealer) {
    this.ledger = ledger;
    this.#names = recordNames(of);
    this.#changes = new ChangeRecords(ledger, this.#names);
    this.#releases = new ReleaseRecords(ledger, this.#names, sealer);
    this.#intents = new IntentRecords(ledger, this.#names);
    this.#runs = new RunRecords(ledger, this.#names);
  }

  /** Undefined where this stack was never deployed with this ledger. */
  async lineage(context: ProviderContext): Promise<string | undefined> {
    const record = await this.ledger.read(this.#names.lineage, context);
    if (record === undefined) return undefined;
    return readRecord<{ lineage: string }>("lineage", record.value, this.#names.lineage, { lineage: "string" }).lineage;
  }

  /** Records the lineage if there is none yet, and returns the one that stands: `lineage`, or that of who came first. */
  async claimLineage(lineage: string, context: ProviderContext): Promise<string> {
    const known = await this.lineage(context);
    if (known !== undefined) return known;
    await context.fence.check();
    try {
      await this.ledger.create(this.#names.lineage, writeRecord("lineage", { lineage }), context, { isFirst: true });
      return lineage;
    } catch (error) {
      if (!(await isConflict(error, context))) throw error;
    }
    const first = await this.lineage(context);
    if (first === undefined)
      throw new CtrlPlaneError("CONFLICT", "the lineage was removed while it was claimed", { retryable: true });
    return first;
  }

  /** The number after the highest; the first is 1. With several platforms the highest of them counts. */
  async nextChange(context: ProviderContext): Promise<number> {
    return this.#changes.next(context);
  }

  /** The last one, as it was begun, without its message: it may have ended since. */
  async lastChange(context: ProviderContext): Promise<Change | undefined> {
    return this.#changes.last(context);
  }

  /** Throws `CONFLICT` where another change has this number. */
  async beginChange(change: Change, context: ProviderContext): Promise<void> {
    await this.#changes.begin(change, context);
  }

  /** `output`: the change's events, one JSON text each, masked. Throws `CONFLICT` where it was finished with another result. */
  async finishChange(
    number: number,
    result: ChangeResult,
    finishedAt: string,
    output: readonly string[],
    context: ProviderContext,
  ): Promise<void> {
    await this.#changes.finish(number, result, finishedAt, output, context);
  }

  /** With what it printed, where it was finished. */
  async change(number: number, context: ProviderContext): Promise<ChangeRecord | undefined> {
    return this.#changes.read(number, context);
  }

  /** Newest first, without output, of the last thousand. `limit` defaults to 20. */
  async changes(context: ProviderContext, options: { readonly limit?: number } = {}): Promise<readonly Change[]> {
    return this.#changes.list(context, options.limit ?? 20);
  }

  /** Repeating it for the same deployment is success. */
  async finishDeployment(record: DeploymentRecord, context: ProviderContext): Promise<void> {
    await this.#changes.finishDeployment(record, context);
  }

  /** Those of one change, by id: oldest first. */
  async deployments(change: number, context: ProviderContext): Promise<readonly DeploymentRecord[]> {
    return this.#changes.deployments(change, context);
  }

  /** Sealed. Immutable: the same release again is success, another of its number throws `CONFLICT`. */
  async writeRelease(release: Release, context: ProviderContext): Promise<void> {
    await this.#releases.write(release, context);
  }

  /** Complete, fit to be deployed. Throws `FORBIDDEN` without the key; undefined where there is none of this number. */
  async release(service: string, number: number, context: ProviderContext): Promise<Release | undefined> {
    const found = await this.#releases.read(service, number, context);
    if (found?.problem !== undefined) throw found.problem;
    return found?.release;
  }

  /** For showing: without the key values are masked, and `opened` is false. */
  async openRelease(service: string, number: number, context: ProviderContext): Promise<OpenedRelease | undefined> {
    return this.#releases.read(service, number, context);
  }

  /** Numbers, ascending. */
  async releases(service: string, context: ProviderContext): Promise<readonly number[]> {
    return this.#releases.numbers(service, context);
  }

  /** Numbers of all services, from one `list`. */
  async allReleases(context: ProviderContext): Promise<ReleaseNumbers> {
    return this.#releases.allNumbers(context);
  }

  /** Removes all releases but `keep`. What an unfinished deployment leads from or to must be among them. */
  async pruneReleases(service: string, keep: readonly number[], context: ProviderContext): Promise<void> {
    await this.#releases.prune(service, keep, context);
  }

  /** Replaces the service's intent, unless that one was written under a later epoch. `isFirst`: there is none, as was seen under the lease. */
  async writeIntent(intent: Intent, context: ProviderContext, options?: CreateRecordOptions): Promise<void> {
    await this.#intents.write(intent, context, options);
  }

  async intent(service: string, context: ProviderContext): Promise<Intent | undefined> {
    return this.#intents.read(service, context);
  }

  /** All that are there, by service: a `list`, and a read for each that exists. */
  async intents(context: ProviderContext): Promise<readonly Intent[]> {
    return this.#intents.all(context);
  }

  /** Appends a decision. Throws `CONFLICT` where the intent is gone, or somebody else's (of another deployment or a later epoch). */
  async decide(service: string, decision: RolloutDecision, context: ProviderContext): Promise<void> {
    await this.#intents.decide(service, decision, context);
  }

  /** Absent, or another deployment's, is success: this one's is gone. */
  async clearIntent(service: string, deployment: string, context: ProviderContext): Promise<void> {
    await this.#intents.clear(service, deployment, context);
  }

  /** How the last run of a job ended: replaces what was recorded of the service before. */
  async recordRun(run: RunRecord, context: ProviderContext): Promise<void> {
    await this.#runs.write(run, context);
  }

  /** Of every job that was run, by service: a `list`, and a read for each. */
  async lastRuns(context: ProviderContext): Promise<ReadonlyMap<string, RunRecord>> {
    return this.#runs.all(context);
  }

  /** Absent is success. */
  async forgetRun(service: string, context: ProviderContext): Promise<void> {
    await this.#runs.forget(service, context);
  }
}
