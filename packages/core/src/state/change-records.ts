import type { Change, ChangeResult } from "../model/change.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import type { DeploymentRecord } from "./intent.ts";
import { createLong, readLong, removeLong } from "./long-record.ts";
import type { RecordNames } from "./record-names.ts";
import { readRecord, writeRecord } from "./record-text.ts";
import type { FieldTypes } from "./record-text.ts";

export interface ChangeRecord extends Change {
  /** Its events, one JSON text each; absent while it runs, or when the process died. */
  readonly output?: readonly string[];
}

const changeFields: FieldTypes<Change> = {
  number: "number",
  command: "string",
  stack: "string",
  by: "string",
  startedAt: "string",
};
/** `change`: as it was begun, without its message; absent in records of an older pctl. */
interface LastChange {
  readonly number: number;
  readonly change?: Change;
}

const deploymentFields: FieldTypes<DeploymentRecord> = {
  id: "string",
  change: "number",
  service: "string",
  outcome: "string",
};

/** Changes that a ledger keeps of a stack; the records of older ones go. */
export const keptChanges = 1000;

/**
 * Changes and the deployments in them. A change is two immutable records: begun, and finished, which repeats all of the first. The highest
 * number that was ever given out is a record of its own, with the change that it was given to: nobody has to list all to find the last ones, nor
 * to ask twice what the last one was.
 */
export class ChangeRecords {
  readonly #ledger: Ledger;
  readonly #names: RecordNames;

  constructor(ledger: Ledger, names: RecordNames) {
    this.#ledger = ledger;
    this.#names = names;
  }

  async next(context: ProviderContext): Promise<number> {
    return (await this.#lastNumber(context)) + 1;
  }

  /** The number is taken before the change is written: a crash in between leaves a gap, and never the same number twice. */
  async begin(change: Change, context: ProviderContext): Promise<void> {
    await this.#take(change, context);
    await this.#create(this.#names.changeBegun(change.number), writeRecord("change", change), context);
  }

  async finish(
    number: number,
    result: ChangeResult,
    finishedAt: string,
    output: readonly string[],
    context: ProviderContext,
  ): Promise<void> {
    const begun = await this.#readChange(this.#names.changeBegun(number), context);
    const finished = writeRecord("change", { ...begun, number, result, finishedAt });
    // Output first: whoever finds a finished change finds what it printed.
    await this.#createOnce(this.#names.changeOutput(number), writeRecord("output", { lines: output }), context);
    const name = this.#names.changeFinished(number);
    try {
      await this.#create(name, finished, context);
    } catch (error) {
      if (!(await isConflict(error, context)) || (await this.#readText(name, context)) !== finished) throw error;
    }
    await this.#forget(number - keptChanges, context);
  }

  async read(number: number, context: ProviderContext): Promise<ChangeRecord | undefined> {
    const finished = await this.#readChange(this.#names.changeFinished(number), context);
    if (finished === undefined) return this.#readChange(this.#names.changeBegun(number), context);
    const name = this.#names.changeOutput(number);
    const text = await this.#readText(name, context);
    if (text === undefined) return finished;
    return { ...finished, output: readRecord<{ lines: string[] }>("output", text, name, { lines: "array" }).lines };
  }

  /** The last one, as it was begun, without its message: it may have ended since. */
  async last(context: ProviderContext): Promise<Change | undefined> {
    const last = await this.#readLast(context);
    if (last === undefined || last.change !== undefined) return last?.change;
    return (await this.list(context, 1))[0];
  }

  async list(context: ProviderContext, limit: number): Promise<readonly Change[]> {
    const found: Change[] = [];
    let next = await this.#lastNumber(context);
    const oldest = Math.max(1, next - keptChanges + 1);
    while (found.length < limit && next >= oldest) {
      const count = Math.min(limit - found.length, next - oldest + 1);
      const numbers = Array.from({ length: count }, (_, index) => next - index);
      const changes = await Promise.all(numbers.map((number) => this.#begunOrFinished(number, context)));
      found.push(...changes.filter((change) => change !== undefined));
      next -= count;
    }
    return found;
  }

  async #begunOrFinished(number: number, context: ProviderContext): Promise<Change | undefined> {
    const finished = await this.#readChange(this.#names.changeFinished(number), context);
    return finished ?? this.#readChange(this.#names.changeBegun(number), context);
  }

  async finishDeployment(record: DeploymentRecord, context: ProviderContext): Promise<void> {
    await this.#createOnce(
      this.#names.deployment(record.change, record.id),
      writeRecord("deployment", record),
      context,
    );
  }

  async deployments(change: number, context: ProviderContext): Promise<readonly DeploymentRecord[]> {
    const names = await this.#ledger.list(this.#names.deployments(change), context);
    const records = names.map(async (name) => {
      const record = await this.#ledger.read(name, context);
      return record === undefined
        ? undefined
        : readRecord<DeploymentRecord>("deployment", record.value, name, deploymentFields);
    });
    return (await Promise.all(records)).filter((record) => record !== undefined);
  }

  /** The highest number that was given out; 0 where there is none. */
  async #lastNumber(context: ProviderContext): Promise<number> {
    return (await this.#readLast(context))?.number ?? 0;
  }

  async #readLast(context: ProviderContext): Promise<LastChange | undefined> {
    const record = await this.#ledger.read(this.#names.lastChange, context);
    return record === undefined ? undefined : this.#parseLast(record.value);
  }

  #parseLast(text: string): LastChange {
    return readRecord<LastChange>("last change", text, this.#names.lastChange, { number: "number" });
  }

  async #take(change: Change, context: ProviderContext): Promise<void> {
    const name = this.#names.lastChange;
    const found = await this.#ledger.read(name, context);
    if (found !== undefined && this.#parseLast(found.value).number >= change.number) return;
    // A message may be of any length, and a record that is replaced may not.
    const { message: _message, ...short } = change;
    const text = writeRecord("last change", { number: change.number, change: short });
    await context.fence.check();
    if (found === undefined) await this.#ledger.create(name, text, context);
    else await this.#ledger.swap(name, text, found.version, context);
  }

  /** Head of a change last, so that what is left of a removal that broke off is found again. */
  async #forget(number: number, context: ProviderContext): Promise<void> {
    if (number < 1) return;
    for (const name of (await this.#ledger.list(this.#names.change(number), context)).toReversed()) {
      await context.fence.check();
      await removeLong(this.#ledger, name, context);
    }
  }

  async #readChange(name: string, context: ProviderContext): Promise<Change | undefined> {
    const text = await this.#readText(name, context);
    return text === undefined ? undefined : readRecord<Change>("change", text, name, changeFields);
  }

  async #readText(name: string, context: ProviderContext): Promise<string | undefined> {
    return readLong(this.#ledger, name, context);
  }

  async #create(name: string, text: string, context: ProviderContext): Promise<void> {
    await context.fence.check();
    await createLong(this.#ledger, name, text, this.#names.part, context);
  }

  async #createOnce(name: string, text: string, context: ProviderContext): Promise<void> {
    try {
      await this.#create(name, text, context);
    } catch (error) {
      // Written by an attempt that was broken off after it.
      if (!(await isConflict(error, context))) throw error;
    }
  }
}
