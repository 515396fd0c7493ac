import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger, LedgerRecord } from "../provider/ledger.ts";
import { syncFolder, writeNewFile } from "./durable-files.ts";
import { fileError, systemCode } from "./file-error.ts";
import { checkRecordName, checkRecordPrefix, checkRecordValue } from "./ledger-limits.ts";
import { listRecords } from "./list-records.ts";
import { changedToken, discard, freshToken, prepareWork, recordFolder, tokenOf, workPlace } from "./record-folder.ts";

/**
 * A ledger in a folder, for processes of one machine on a local file system. No process waits for another and none leaves a lock behind:
 *
 * A record is a folder `{name}@` with a *token*, whose name holds the version: `f.{version}` with the value in it, until the record
 * is changed for the first time; then `t.{version}`, with the value beside it in `v.{version}`. Each write is one rename, which the
 * kernel carries out for exactly one of several processes: a record is created by renaming a complete folder to its name, which
 * fails where one that is not empty is there; it is changed by renaming the token from the old version to the new one, after the
 * new value was written beside it; it is removed by renaming the token away. Versions are random and never come back, so a
 * process that was asleep for long cannot hit a later record. What a killed process leaves is never seen as a record, and is
 * cleared away by those that come later.
 *
 * Folders are made 0700. Values and names are on the disk before a call returns.
 */
export function fileLedger(folder: string, reach: Ledger["reach"] = "platform"): Ledger {
  return new FileLedger(folder, reach);
}

/** Nobody prepares a record for as long. */
const abandonedAfterMs = 60 * 60 * 1000;

class FileLedger implements Ledger {
  readonly reach: Ledger["reach"];
  readonly #folder: string;
  #isPrepared = false;

  constructor(folder: string, reach: Ledger["reach"]) {
    this.#folder = folder;
    this.reach = reach;
  }

  async create(name: string, value: string, context: ProviderContext): Promise<string> {
    checkRecordName(name);
    checkRecordValue(name, value);
    const record = recordFolder(this.#folder, name);
    return this.#doing("write to the ledger", record, context, async () => {
      const version = newVersion();
      const work = this.#workPlace(version);
      try {
        mkdirSync(work, { mode: 0o700 });
        // Syncing a new file brings its name to the disk as well, on ext4, XFS and Btrfs.
        await writeNewFile(freshToken(work, version).path, value, 0o600);
        await this.#place(work, record, name, context);
      } catch (error) {
        this.#isPrepared = false;
        rmSync(work, { recursive: true, force: true });
        throw error;
      }
      await syncFolder(dirname(record));
      return version;
    });
  }

  async read(name: string, context: ProviderContext): Promise<LedgerRecord | undefined> {
    checkRecordName(name);
    const record = recordFolder(this.#folder, name);
    return this.#doing("read from the ledger", record, context, () => {
      let missing: string | undefined;
      for (;;) {
        const token = tokenOf(record);
        if (token === undefined) return undefined;
        const { version } = token;
        const value = readIfThere(token.valuePath);
        if (value !== undefined) return { value, version };
        // Replaced between the two reads; the value of a version that stays is there before its token.
        if (version === missing) throw lostValue(name, record);
        missing = version;
      }
    });
  }

  async list(prefix: string, context: ProviderContext): Promise<readonly string[]> {
    checkRecordPrefix(prefix);
    return this.#doing("list the ledger", this.#folder, context, () => listRecords(this.#folder, prefix));
  }

  async swap(name: string, value: string, version: string, context: ProviderContext): Promise<string> {
    checkRecordName(name);
    checkRecordValue(name, value);
    if (!isVersion(version)) throw changed(name);
    const record = recordFolder(this.#folder, name);
    return this.#doing("write to the ledger", record, context, async () => {
      const next = changedToken(record, newVersion());
      try {
        await writeNewFile(next.valuePath, value, 0o600);
        await context.fence.check();
        // One of the two is its token.
        const moved = [freshToken, changedToken].some((of) => moveIfThere(of(record, version).path, next.path));
        if (!moved) throw changed(name);
      } catch (error) {
        rmSync(next.valuePath, { force: true });
        throw systemCode(error) === "ENOENT" ? changed(name) : error;
      }
      // It may have been removed already.
      await syncIfThere(record);
      rmSync(changedToken(record, version).valuePath, { force: true });
      return next.version;
    });
  }

  async remove(name: string, version: string | undefined, context: ProviderContext): Promise<void> {
    checkRecordName(name);
    const record = recordFolder(this.#folder, name);
    await this.#doing("remove from the ledger", record, context, async () => {
      for (;;) {
        const found = tokenOf(record);
        if (found === undefined) break;
        if (version !== undefined && found.version !== version) throw changed(name);
        const away = this.#workPlace(newVersion());
        await context.fence.check();
        if (moveIfThere(found.path, away)) {
          rmSync(away, { force: true });
          break;
        }
        // Another one changed it, or somebody cleared the work folder away.
        this.#isPrepared = false;
      }
      discard(record);
      await syncIfThere(dirname(record));
    });
  }

  #workPlace(name: string): string {
    if (!this.#isPrepared) prepareWork(this.#folder, abandonedAfterMs);
    this.#isPrepared = true;
    return workPlace(this.#folder, name);
  }

  /** Gives a complete folder its name. Leftovers of a record that is gone are in the way until they are cleared. */
  async #place(work: string, record: string, name: string, context: ProviderContext): Promise<void> {
    let hasParent = false;
    for (;;) {
      await context.fence.check();
      try {
        renameSync(work, record);
        return;
      } catch (error) {
        const code = systemCode(error);
        if (code === "ENOENT" && !hasParent) {
          mkdirSync(dirname(record), { recursive: true, mode: 0o700 });
          hasParent = true;
          continue;
        }
        if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      }
      if (tokenOf(record) !== undefined) throw exists(name);
      discard(record);
    }
  }

  async #doing<T>(doing: string, path: string, context: ProviderContext, work: () => T | Promise<T>): Promise<T> {
    if (context.signal.aborted) {
      throw new CtrlPlaneError("CANCELLED", `cancelled: ${doing}`, { cause: context.signal.reason });
    }
    try {
      return await work();
    } catch (error) {
      throw systemCode(error)?.startsWith("E") === true ? fileError(error, doing, path) : error;
    }
  }
}

function newVersion(): string {
  return randomBytes(12).toString("hex");
}

/** A version becomes part of a path. */
function isVersion(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/** False where there is nothing. */
function moveIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function syncIfThere(path: string): Promise<void> {
  try {
    await syncFolder(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function exists(name: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the record ${name} exists already`, { target: name });
}

function changed(name: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the record ${name} was changed by somebody else`, { target: name });
}

function lostValue(name: string, record: string): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the record ${name} is damaged: its value is missing`, {
    target: record,
    hint: `Restore ${record} from a backup, or remove it and deploy again.`,
  });
}
