import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Release } from "@ctrlplane/core/provider";
import { textIfThere, unlessAbsent } from "./errors.ts";
import type { MountedFiles } from "./mounted-files.ts";
import type { SnapshotStore } from "./snapshot.ts";

/** What the releases of one instance need to come back: `kept/<instance>.json`. */
interface KeptReleases {
  readonly v: 1;
  /** Oldest first. */
  readonly releases: readonly KeptRelease[];
}

interface KeptRelease {
  readonly number: number;
  readonly image: string;
  /** Digests of mounted files. */
  readonly files: readonly string[];
}

/** Remembers for how many releases the files are kept, and lets go of the others. */
export interface Retention {
  /**
   * Before a release is rolled out: its files stay. Then the newest `keep` and the one that serves are left. True where an older one
   * was let go: there may be something to prune.
   */
  keep(release: Release, serving: number | undefined): Promise<boolean>;
  /** The instance is gone. */
  forget(instance: string): Promise<void>;
  /** Removes the files that no release of any instance needs. */
  prune(): Promise<void>;
}

export function retention(dir: string, snapshots: SnapshotStore, files: MountedFiles, now: () => number): Retention {
  const folder = join(dir, "kept");
  const fileOf = (instance: string) => join(folder, `${instance}.json`);
  return {
    async keep(release, serving) {
      const file = fileOf(release.instance.name);
      const known = readKept(file).filter((each) => each.number !== release.number);
      const entry = {
        number: release.number,
        image: release.image.digest,
        files: release.spec.files.map((each) => each.digest),
      };
      const all = [...known, entry].toSorted((a, b) => a.number - b.number);
      const newest = new Set(all.slice(-Math.max(1, release.spec.keep)));
      const releases = all.filter(
        (each) => newest.has(each) || each.number === serving || each.number === release.number,
      );
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const temporary = `${file}.${randomBytes(6).toString("hex")}`;
      writeFileSync(temporary, JSON.stringify({ v: 1, releases } satisfies KeptReleases), { mode: 0o600 });
      renameSync(temporary, file);
      return releases.length < all.length;
    },
    forget: (instance) => rm(fileOf(instance), { force: true }),
    async prune() {
      const names = ((await unlessAbsent(readdir(folder))) ?? []).filter((name) => name.endsWith(".json"));
      const kept = names.flatMap((name) => readKept(join(folder, name)));
      await snapshots.prune(new Set(kept.map((each) => each.image)), now());
      await files.prune(new Set(kept.flatMap((each) => each.files)), now());
    },
  };
}

function readKept(file: string): readonly KeptRelease[] {
  const text = textIfThere(file);
  // Written by `keep` alone. Damaged, it must not pass for empty: snapshots would be removed for it.
  return text === undefined ? [] : (JSON.parse(text) as KeptReleases).releases;
}
