import type { Change, ChangeResult } from "../model/change.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import type { DeploymentRecord } from "./intent.ts";
import { createLong, readLong } from "./long-record.ts";
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
const deploymentFields: FieldTypes<DeploymentRecord> = {
  id: "string",
  change: "number",
  service: "string",
  outcome: "string",
};

/** Changes and the deployments in them. A change is two immutable records: begun, and finished, which repeats all of the first. */
export class ChangeRecords {
  readonly #ledger: Ledger;
  readonly #names: RecordNames;

  constructor(ledger: Ledger, names: RecordNames) {
    this.#ledger = ledger;
    this.#names = names;
  }

  async next(context: ProviderContext): Promise<number> {
    const numbers = [...(await this.#listed(context)).keys()];
    return Math.max(0, ...numbers) + 1;
  }

  async begin(change: Change, context: ProviderContext): Promise<void> {
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
      if (!isConflict(error, context) || (await this.#readText(name, context)) !== finished) throw error;
    }
  }

  async read(number: number, context: ProviderContext): Promise<ChangeRecord | undefined> {
    const finished = await this.#readChange(this.#names.changeFinished(number), context);
    if (finished === undefined) return this.#readChange(this.#names.changeBegun(number), context);
    const name = this.#names.changeOutput(number);
    const text = await this.#readText(name, context);
    if (text === undefined) return finished;
    return { ...finished, output: readRecord<{ lines: string[] }>("output", text, name, { lines: "array" }).lines };
  }

  async list(context: ProviderContext, limit: number): Promise<readonly Change[]> {
    const listed = [...(await this.#listed(context))].sort(([a], [b]) => b - a).slice(0, limit);
    const changes = listed.map(([number, isFinished]) =>
      this.#readChange(isFinished ? this.#names.changeFinished(number) : this.#names.changeBegun(number), context),
    );
    return (await Promise.all(changes)).filter((change) => change !== undefined);
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

  /** Numbers that are taken, and whether each was finished. */
  async #listed(context: ProviderContext): Promise<Map<number, boolean>> {
    const found = new Map<number, boolean>();
    for (const name of await this.#ledger.list(this.#names.changes, context)) {
      const [digits, what] = name.slice(this.#names.changes.length).split("/");
      if (what !== "begun" && what !== "finished") continue;
      const number = Number(digits);
      found.set(number, found.get(number) === true || what === "finished");
    }
    return found;
  }

  async #readChange(name: string, context: ProviderContext): Promise<Change | undefined> {
    const text = await this.#readText(name, context);
    return text === undefined ? undefined : readRecord<Change>("change", text, name, changeFields);
  }

  async #readText(name: string, context: ProviderContext): Promise<string | undefined> {
    return readLong(this.#ledger, name, context);
  }

  async #create(name: string, text: string, context: ProviderContext): Promise<void> {
    context.fence.check();
    await createLong(this.#ledger, name, text, this.#names.part, context);
  }

  async #createOnce(name: string, text: string, context: ProviderContext): Promise<void> {
    try {
      await this.#create(name, text, context);
    } catch (error) {
      // Written by an attempt that was broken off after it.
      if (!isConflict(error, context)) throw error;
    }
  }
}
