import { randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { CtrlPlaneError, label, managedBy, sha256, type Labels } from "@ctrlplane/core/provider";
import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { dockerLabel, type Role } from "./labels.ts";
import { findVolumes, type VolumeAnswer } from "./volume-list.ts";

export interface StoredRecord {
  readonly name: string;
  readonly value: string;
  /** Opaque; another one with every write, and none comes back. */
  readonly version: string;
  readonly labels: Labels;
  /** An older version is still there: who wrote this one was killed right then. The next write removes it. */
  readonly isDoubled?: boolean;
}

/** One version of a record: a volume. `number`: higher with every write. */
interface Version extends StoredRecord {
  readonly number: number;
}

/** What a writer made. `spent`: the numbers right below, over which an engine died. */
interface Made {
  readonly version: string;
  readonly number: number;
  readonly spent: readonly number[];
}

export interface RecordCall {
  readonly signal: AbortSignal;
  /** Awaited right before each write. */
  check(): Promise<void>;
}

/**
 * Named, versioned records on an engine that has no place for them: each version is an empty volume, with the text in a label.
 * Labels never change, and creating a volume whose name exists returns the one that is there: so creating version n + 1 is the
 * one step that decides who writes. The newest version counts.
 *
 * Whoever made n + 1 and sees that n is there still has replaced it, and removes it and all below, the lowest first: so where n is
 * gone, another did that before, and what was made is withdrawn. It is below what counts by then, so nobody reads it.
 *
 * An engine that is killed while it makes a volume may leave it without labels, for good. Its number is spent: every writer sees
 * so, and takes the next one; whoever wins that removes it.
 *
 * The window that is left: a writer that was asleep while the record was removed may make a version that is withdrawn at once;
 * who reads in between sees it.
 */
export class VolumeRecords {
  readonly #engine: EngineClient;
  readonly #role: Role;
  /** The version of a record that was seen, or made, with no older one beside it. */
  readonly #alone = new Map<string, string>();

  constructor(engine: EngineClient, role: Role) {
    this.#engine = engine;
    this.#role = role;
  }

  /** Its version; undefined where the record exists. `labels` are added to its volumes. `isFirst`: the caller knows that there is no later version of it. */
  async create(
    name: string,
    value: string,
    labels: Labels,
    call: RecordCall,
    { isFirst = false }: { readonly isFirst?: boolean } = {},
  ): Promise<string | undefined> {
    const made = await this.#make(name, { from: 1, origin: randomNonce() }, value, labels, call);
    if (made === undefined) return undefined;
    if (isFirst) return this.#won(name, made, [], call);
    const versions = await this.#versions(name, call.signal);
    // A later one replaced this one, or is of a record that was there before.
    const isOfMine = (each: Version): boolean => originOf(each.version) === originOf(made.version);
    if (versions.length > 0 && versions.every(isOfMine)) return this.#won(name, made, [], call);
    await this.#drop(name, made.number, call);
    return undefined;
  }

  async read(name: string, signal: AbortSignal): Promise<StoredRecord | undefined> {
    const found = newest(await this.#versions(name, signal));
    if (found !== undefined) this.#sawAlone(found);
    return found;
  }

  #sawAlone({ name, version, isDoubled }: StoredRecord): void {
    if (isDoubled !== true) this.#alone.set(name, version);
  }

  /** Every record with these labels, sorted by name. */
  async list(labels: readonly (readonly [string, string])[], signal: AbortSignal): Promise<readonly StoredRecord[]> {
    const groups = Map.groupBy(await this.#find(labels, signal), (each) => each.name);
    const found = [...groups.values()].flatMap((versions) => newest(versions) ?? []);
    // Other labels might leave out an older version.
    if (labels.length === 0) for (const each of found) this.#sawAlone(each);
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The records that these volumes hold. */
  among(volumes: readonly { readonly Name: string; readonly Labels: Labels | null }[]): readonly StoredRecord[] {
    const own = volumes.filter((each) => each.Labels?.[label.role] === this.#role).map((each) => this.#parse(each));
    return [...Map.groupBy(own, (each) => each.name).values()].flatMap((versions) => newest(versions) ?? []);
  }

  /** The new version; undefined where the record is not at `version` any more. */
  async swap(
    name: string,
    value: string,
    version: string,
    labels: Labels,
    call: RecordCall,
  ): Promise<string | undefined> {
    const number = numberOf(version);
    if (!Number.isSafeInteger(number + 1)) return undefined;
    const made = await this.#make(name, { from: number + 1, origin: originOf(version) }, value, labels, call);
    if (made === undefined) return undefined;
    const older = await this.#replacedBy(made, name, version, call);
    if (older !== undefined) return this.#won(name, made, older, call);
    await this.#drop(name, made.number, call);
    return undefined;
  }

  /** The numbers below what was made, in their order; undefined where `version` was replaced before, so that it never counted. */
  async #replacedBy(
    made: Made,
    name: string,
    version: string,
    { signal }: RecordCall,
  ): Promise<readonly number[] | undefined> {
    if (this.#alone.get(name) === version)
      return (await this.#isStill(name, version, signal)) ? [numberOf(version)] : undefined;
    const versions = await this.#versions(name, signal);
    if (!versions.some((each) => each.version === version)) return undefined;
    return versions.map((each) => each.number).filter((each) => each < made.number);
  }

  /** True where it was alone, and nobody replaced or removed it since. */
  async #isStill(name: string, version: string, signal: AbortSignal): Promise<boolean> {
    if (this.#alone.get(name) !== version) return false;
    return (await this.#nonceAt(name, numberOf(version), signal)) === nonceOf(version);
  }

  async #nonceAt(name: string, number: number, signal: AbortSignal): Promise<string | undefined> {
    const path = `/volumes/${segment(this.#volume(name, number))}`;
    const found = await unlessMissing(this.#engine.json<VolumeAnswer>({ method: "GET", path, signal }));
    return found?.Labels?.[dockerLabel.nonce];
  }

  /** The rest goes, in the order of its numbers. Resolves with the version. */
  async #won(name: string, made: Made, older: readonly number[], call: RecordCall): Promise<string> {
    for (const number of [...older, ...made.spent]) await this.#drop(name, number, call);
    this.#alone.set(name, made.version);
    return made.version;
  }

  /** False where it is at another version. Absent is success. */
  async remove(name: string, version: string | undefined, call: RecordCall): Promise<boolean> {
    if (version !== undefined && (await this.#isStill(name, version, call.signal))) {
      const number = numberOf(version);
      await this.#drop(name, number, call);
      this.#alone.delete(name);
      // Somebody may have made it just before; whoever makes it now sees that what it follows is gone.
      if ((await this.#nonceAt(name, number + 1, call.signal)) === undefined) return true;
    }
    const versions = await this.#versions(name, call.signal);
    const last = newest(versions);
    if (last === undefined) return true;
    if (version !== undefined && last.version !== version) return false;
    for (const each of versions) await this.#drop(name, each.number, call);
    this.#alone.delete(name);
    return version === undefined || (await this.#versions(name, call.signal)).length === 0;
  }

  /** With this number, or the next one that is not spent; undefined where another made it. Throws `INVALID` where a volume of its name is no record. */
  async #make(
    name: string,
    { from, origin }: { readonly from: number; readonly origin: string },
    value: string,
    labels: Labels,
    call: RecordCall,
  ): Promise<Made | undefined> {
    const nonce = `${origin}-${randomNonce()}`;
    const all = {
      ...labels,
      ...placeLabels(name),
      [label.managedBy]: managedBy,
      [label.role]: this.#role,
      [dockerLabel.record]: name,
      [dockerLabel.nonce]: nonce,
      [dockerLabel.value]: deflateRawSync(value).toString("base64"),
    };
    const spent: number[] = [];
    for (let number = from; ; number += 1) {
      await call.check();
      const volume = this.#volume(name, number);
      const { Labels: found } = await this.#engine.json<VolumeAnswer>({
        method: "POST",
        path: "/volumes/create",
        body: { Name: volume, Labels: all },
        signal: call.signal,
      });
      if (found?.[dockerLabel.nonce] === nonce) return { version: versionOf(number, nonce), number, spent };
      if (found?.[dockerLabel.nonce] !== undefined) return undefined;
      if (Object.keys(found ?? {}).length > 0) throw damaged(volume);
      spent.push(number);
    }
  }

  async #drop(name: string, number: number, call: RecordCall): Promise<void> {
    await call.check();
    const path = `/volumes/${segment(this.#volume(name, number))}`;
    await unlessMissing(this.#engine.json({ method: "DELETE", path, signal: call.signal }));
  }

  /** Oldest first: who is killed while removing them leaves the newest. */
  async #versions(name: string, signal: AbortSignal): Promise<readonly Version[]> {
    return (await this.#find([[dockerLabel.record, name]], signal)).toSorted((a, b) => a.number - b.number);
  }

  async #find(labels: readonly (readonly [string, string])[], signal: AbortSignal): Promise<readonly Version[]> {
    const found = await findVolumes(this.#engine, [[label.role, this.#role], ...labels], signal);
    return found.map((each) => this.#parse(each));
  }

  #parse({ Name: volume, Labels: labels }: VolumeAnswer): Version {
    const name = labels?.[dockerLabel.record];
    const packed = labels?.[dockerLabel.value];
    const nonce = labels?.[dockerLabel.nonce] ?? "";
    const number = Number(volume.slice(volume.lastIndexOf(".") + 1));
    if (!labels || name === undefined || packed === undefined || volume !== this.#volume(name, number))
      throw damaged(volume);
    try {
      const value = inflateRawSync(Buffer.from(packed, "base64")).toString("utf8");
      return { name, value, labels, number, version: versionOf(number, nonce) };
    } catch (cause) {
      throw damaged(volume, cause);
    }
  }

  #volume(name: string, number: number): string {
    return `pctl-${this.#role}-${sha256(name).slice(0, 32)}.${number}`;
  }
}

/** Labels as they were given: without those that make a volume a record. */
export function withoutRecordLabels(labels: Labels): Labels {
  const own: readonly string[] = [label.role, dockerLabel.record, dockerLabel.nonce, dockerLabel.value];
  const isOwn = (key: string): boolean => own.includes(key) || key.startsWith(`${dockerLabel.below}-`);
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !isOwn(key)));
}

/** One for each folder that the record lies in. */
function placeLabels(name: string): Labels {
  const folders = name.split("/").slice(0, -1);
  return Object.fromEntries(folders.map((_, index) => below(folders.slice(0, index + 1).join("/"))));
}

/** A folder and all that is below it, as a label that `list` takes. */
export function below(folder: string): readonly [string, string] {
  return [`${dockerLabel.below}-${folder.split("/").length}`, folder];
}

function versionOf(number: number, nonce: string): string {
  return `${number}-${nonce}`;
}

/** NaN for what is no version of ours: nothing is at it. */
function numberOf(version: string): number {
  return Number(version.slice(0, version.indexOf("-")));
}

/** Of the volume: of its record's first version, and its own. */
function nonceOf(version: string): string {
  return version.slice(version.indexOf("-") + 1);
}

/** The same for all versions of a record from its creation on. */
function originOf(version: string): string {
  return version.split("-")[1] ?? "";
}

function randomNonce(): string {
  return randomBytes(8).toString("hex");
}

function newest(versions: readonly Version[]): Version | undefined {
  const last = versions.reduce<Version | undefined>(
    (best, each) => (best === undefined || each.number > best.number ? each : best),
    undefined,
  );
  return last === undefined || versions.length === 1 ? last : { ...last, isDoubled: true };
}

function damaged(volume: string, cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the volume ${volume} is no record that we wrote`, {
    target: volume,
    cause,
    hint: `Look at it with \`docker volume inspect ${volume}\`; once it is removed, what it recorded is lost.`,
  });
}
