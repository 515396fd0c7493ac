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

/** One version of a record: a volume. `number`: 1, 2, 3 … with every write. */
interface Version extends StoredRecord {
  readonly number: number;
}

export interface RecordCall {
  readonly signal: AbortSignal;
  /** Awaited right before each write. */
  check(): Promise<void>;
}

/**
 * Named, versioned records on an engine that has no place for them: each version is an empty volume, with the text in a label.
 * Labels never change, and creating a volume whose name exists returns the one that is there: so creating version n + 1 is the
 * one step that decides who writes. The newest version counts; whoever wrote it removes the older ones.
 *
 * The window that is left: a writer that was asleep for so long that its version was replaced and gone may make a version that
 * is withdrawn at once; who reads in between sees it.
 */
export class VolumeRecords {
  readonly #engine: EngineClient;
  readonly #role: Role;

  constructor(engine: EngineClient, role: Role) {
    this.#engine = engine;
    this.#role = role;
  }

  /** Its version; undefined where the record exists. `labels` are added to its volumes. `isFirst`: the caller knows that it has no later version. */
  async create(
    name: string,
    value: string,
    labels: Labels,
    call: RecordCall,
    { isFirst = false }: { readonly isFirst?: boolean } = {},
  ): Promise<string | undefined> {
    const made = await this.#make(name, 1, value, labels, call);
    if (made === undefined || isFirst) return made;
    // Where it was at a later version this one never counted, and is gone where somebody removed that one meanwhile.
    const versions = await this.#versions(name, call.signal);
    if (!versions.some((each) => each.version === made)) return undefined;
    if (versions.length === 1) return made;
    await this.#drop(name, 1, call);
    return undefined;
  }

  async read(name: string, signal: AbortSignal): Promise<StoredRecord | undefined> {
    return newest(await this.#versions(name, signal));
  }

  /** Every record with these labels, sorted by name. */
  async list(labels: readonly (readonly [string, string])[], signal: AbortSignal): Promise<readonly StoredRecord[]> {
    const found = Map.groupBy(await this.#find(labels, signal), (each) => each.name);
    return [...found.values()].flatMap((versions) => newest(versions) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
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
    const number = numberOf(version) + 1;
    if (!Number.isSafeInteger(number)) return undefined;
    const made = await this.#make(name, number, value, labels, call);
    if (made === undefined) return undefined;
    const versions = await this.#versions(name, call.signal);
    // Only who made the next version removes this one: where it is gone, somebody else did.
    const isCurrent =
      versions.some((each) => each.version === version) && versions.every((each) => each.number <= number);
    if (!isCurrent) {
      await this.#drop(name, number, call);
      return undefined;
    }
    for (const each of versions) if (each.number < number) await this.#drop(name, each.number, call);
    return made;
  }

  /** False where it is at another version. Absent is success. */
  async remove(name: string, version: string | undefined, call: RecordCall): Promise<boolean> {
    const versions = await this.#versions(name, call.signal);
    const last = newest(versions);
    if (last === undefined) return true;
    if (version !== undefined && last.version !== version) return false;
    for (const each of versions) await this.#drop(name, each.number, call);
    return version === undefined || (await this.#versions(name, call.signal)).length === 0;
  }

  /** The version that it is now; undefined where another made this number. Throws `INVALID` where a volume of its name is no record. */
  async #make(
    name: string,
    number: number,
    value: string,
    labels: Labels,
    call: RecordCall,
  ): Promise<string | undefined> {
    const nonce = randomBytes(12).toString("hex");
    await call.check();
    const made = await this.#engine.json<VolumeAnswer>({
      method: "POST",
      path: "/volumes/create",
      body: {
        Name: this.#volume(name, number),
        Labels: {
          ...labels,
          ...placeLabels(name),
          [label.managedBy]: managedBy,
          [label.role]: this.#role,
          [dockerLabel.record]: name,
          [dockerLabel.nonce]: nonce,
          [dockerLabel.value]: deflateRawSync(value).toString("base64"),
        },
      },
      signal: call.signal,
    });
    const found = made.Labels?.[dockerLabel.nonce];
    // Nobody's, so that nobody will ever replace it.
    if (found === undefined) throw halfMade(this.#volume(name, number));
    return found === nonce ? versionOf(number, nonce) : undefined;
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

/** It may be of somebody else, so it is not removed here. */
function halfMade(volume: string): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the volume ${volume} has none of the labels of a record`, {
    target: volume,
    hint: `An engine that died while it made it leaves it so, and empty: \`docker volume rm ${volume}\`, and the same command again.`,
  });
}
