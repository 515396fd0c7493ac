import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger, LedgerRecord } from "../provider/ledger.ts";
import { isConflict } from "./conflict.ts";
import type { RunRecord } from "./intent.ts";
import type { RecordNames } from "./record-names.ts";
import { readRecord, writeRecord, type FieldTypes } from "./record-text.ts";

const fields: FieldTypes<RunRecord> = {
  service: "string",
  release: "number",
  deployment: "string",
  outcome: "string",
  startedAt: "string",
  epoch: "number",
};

/** Last runs of jobs, one record a service. */
export class RunRecords {
  readonly #ledger: Ledger;
  readonly #names: RecordNames;

  constructor(ledger: Ledger, names: RecordNames) {
    this.#ledger = ledger;
    this.#names = names;
  }

  async write(run: RunRecord, context: ProviderContext): Promise<void> {
    const name = this.#names.run(run.service);
    const text = writeRecord("run", run);
    try {
      await this.#replace(name, run, text, context);
    } catch (error) {
      if (!(await isConflict(error, context))) throw error;
      // The write took effect and its answer was lost, or somebody else wrote: seen by what stands there now.
      if ((await this.#ledger.read(name, context))?.value !== text) throw error;
    }
  }

  async all(context: ProviderContext): Promise<ReadonlyMap<string, RunRecord>> {
    const names = await this.#ledger.list(this.#names.runs, context);
    const found = await Promise.all(names.map((name) => this.#ledger.read(name, context)));
    const runs = found.flatMap((each, index) => (each === undefined ? [] : [open(each, names[index] ?? "")]));
    return new Map(runs.map((each) => [each.service, each]));
  }

  async forget(service: string, context: ProviderContext): Promise<void> {
    const name = this.#names.run(service);
    const found = await this.#ledger.read(name, context);
    if (found === undefined) return;
    await context.fence.check();
    try {
      await this.#ledger.remove(name, found.version, context);
    } catch (error) {
      if (!(await isConflict(error, context)) || (await this.#ledger.read(name, context)) !== undefined) throw error;
    }
  }

  async #replace(name: string, run: RunRecord, text: string, context: ProviderContext): Promise<void> {
    const found = await this.#ledger.read(name, context);
    if (found !== undefined && open(found, name).epoch > run.epoch)
      throw new CtrlPlaneError("CONFLICT", `another change ran ${run.service} meanwhile`, { target: "lease" });
    await context.fence.check();
    if (found === undefined) await this.#ledger.create(name, text, context);
    else if (found.value !== text) await this.#ledger.swap(name, text, found.version, context);
  }
}

function open(record: LedgerRecord, name: string): RunRecord {
  return readRecord<RunRecord>("run", record.value, name, fields);
}
