import { CtrlPlaneError } from "../errors/error.ts";
import { canonicalJson } from "../model/hash.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { CreateRecordOptions, Ledger } from "../provider/ledger.ts";
import type { RolloutDecision } from "../rollout/journal.ts";
import { isConflict } from "./conflict.ts";
import type { Intent } from "./intent.ts";
import type { RecordNames } from "./record-names.ts";
import { readRecord, writeRecord } from "./record-text.ts";
import type { FieldTypes } from "./record-text.ts";

const intentFields: FieldTypes<Intent> = {
  deployment: "string",
  change: "number",
  service: "string",
  instance: "string",
  command: "string",
  epoch: "number",
  decisions: "array",
};

interface StoredIntent {
  readonly intent: Intent;
  readonly version: string;
}

/** The one kind of record that changes: by swap of the version last seen, so a holder that lost its lease cannot overwrite its successor's. */
export class IntentRecords {
  readonly #ledger: Ledger;
  readonly #names: RecordNames;
  /** What this process wrote last, by service: a decision then needs no read. A swap says when it is out of date. */
  readonly #own = new Map<string, StoredIntent>();

  constructor(ledger: Ledger, names: RecordNames) {
    this.#ledger = ledger;
    this.#names = names;
  }

  async write(intent: Intent, context: ProviderContext, options?: CreateRecordOptions): Promise<void> {
    const text = writeRecord("intent", intent);
    const version =
      (await this.#create(intent, text, context, options)) ?? (await this.#replace(intent, text, context));
    this.#own.set(intent.service, { intent, version });
  }

  /** Mostly there is none: undefined where there is. */
  async #create(
    { service }: Intent,
    text: string,
    context: ProviderContext,
    options?: CreateRecordOptions,
  ): Promise<string | undefined> {
    await context.fence.check();
    try {
      return await this.#ledger.create(this.#names.intent(service), text, context, options);
    } catch (error) {
      if (await isConflict(error, context)) return undefined;
      throw error;
    }
  }

  async #replace(intent: Intent, text: string, context: ProviderContext): Promise<string> {
    const found = await this.#stored(intent.service, context);
    if (found !== undefined && found.intent.epoch > intent.epoch) throw takenOver(intent.service, found.intent);
    const name = this.#names.intent(intent.service);
    await context.fence.check();
    if (found === undefined) return this.#ledger.create(name, text, context);
    return this.#ledger.swap(name, text, found.version, context);
  }

  async read(service: string, context: ProviderContext): Promise<Intent | undefined> {
    return (await this.#stored(service, context))?.intent;
  }

  async all(context: ProviderContext): Promise<readonly Intent[]> {
    const names = await this.#ledger.list(this.#names.intents, context);
    const found = await Promise.all(names.map((name) => this.#readName(name, context)));
    return found.filter((each) => each !== undefined).map(({ intent }) => intent);
  }

  async decide(service: string, decision: RolloutDecision, context: ProviderContext): Promise<void> {
    const own = this.#own.get(service);
    if (own !== undefined && (await this.#append(own, decision, context))) return;
    const found = await this.#stored(service, context);
    if (found === undefined) throw takenOver(service, undefined);
    const isForeign = own !== undefined && own.intent.deployment !== found.intent.deployment;
    // Epoch 0 marks a call without a lease (tests, memory); then the version alone decides.
    const isLater = context.fence.epoch > 0 && found.intent.epoch > context.fence.epoch;
    if (isForeign || isLater) throw takenOver(service, found.intent);
    // The swap took effect and its answer was lost.
    if (
      own !== undefined &&
      canonicalJson(found.intent.decisions) === canonicalJson([...own.intent.decisions, decision])
    ) {
      this.#own.set(service, found);
      return;
    }
    if (!(await this.#append(found, decision, context))) throw takenOver(service, found.intent);
  }

  async clear(service: string, deployment: string, context: ProviderContext): Promise<void> {
    const found = this.#own.get(service) ?? (await this.#stored(service, context));
    this.#own.delete(service);
    if (found === undefined || found.intent.deployment !== deployment) return;
    await context.fence.check();
    try {
      await this.#ledger.remove(this.#names.intent(service), found.version, context);
    } catch (error) {
      if (!(await isConflict(error, context))) throw error;
      const now = await this.#stored(service, context);
      if (now === undefined || now.intent.deployment !== deployment) return;
      if (context.fence.epoch > 0 && now.intent.epoch > context.fence.epoch) throw takenOver(service, now.intent);
      await this.#ledger.remove(this.#names.intent(service), now.version, context);
    }
  }

  /** False where the version is out of date. */
  async #append(
    { intent, version }: StoredIntent,
    decision: RolloutDecision,
    context: ProviderContext,
  ): Promise<boolean> {
    const next: Intent = { ...intent, decisions: [...intent.decisions, decision] };
    await context.fence.check();
    try {
      const written = await this.#ledger.swap(
        this.#names.intent(intent.service),
        writeRecord("intent", next),
        version,
        context,
      );
      this.#own.set(intent.service, { intent: next, version: written });
      return true;
    } catch (error) {
      if (await isConflict(error, context)) return false;
      throw error;
    }
  }

  async #stored(service: string, context: ProviderContext): Promise<StoredIntent | undefined> {
    return this.#readName(this.#names.intent(service), context);
  }

  async #readName(name: string, context: ProviderContext): Promise<StoredIntent | undefined> {
    const record = await this.#ledger.read(name, context);
    if (record === undefined) return undefined;
    return { intent: readRecord<Intent>("intent", record.value, name, intentFields), version: record.version };
  }
}

function takenOver(service: string, by: Intent | undefined): CtrlPlaneError {
  const what = by === undefined ? "was finished by somebody else" : `was taken over by change #${by.change}`;
  return new CtrlPlaneError("CONFLICT", `the deployment of ${service} ${what}`, {
    target: "lease",
    hint: "Look at `pctl history`, then deploy again.",
  });
}
