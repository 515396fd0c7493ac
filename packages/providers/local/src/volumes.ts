import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CtrlPlaneError, instanceLabels, volumeName } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels, VolumeSpec } from "@ctrlplane/core/provider";
import { errnoOf, textIfThere, unlessAbsent } from "./errors.ts";
import { layout } from "./layout.ts";
import { namesIn } from "./supervisor/read.ts";
import { requireLineage } from "./ownership.ts";

/** `volumes/<name>/volume.json`; the data lies beside it in `data/`. */
export interface VolumeRecord {
  readonly v: 1;
  readonly name: string;
  readonly labels: Labels;
  /** The instance whose replica has it alone; absent for a named volume, which services of the stack share. */
  readonly instance?: string;
}

/** A volume as one replica mounts it. */
export interface Mount {
  /** Place in the working folder. */
  readonly path: string;
  /** Folder that is linked there, absolute. */
  readonly target: string;
  /** The volume of ours that it is; absent for folders of the host. */
  readonly volume?: Pick<VolumeRecord, "name" | "instance">;
  readonly isExternal: boolean;
}

/** What the replica with this ordinal mounts. Pure. */
export function mountsOf(
  dir: string,
  instance: InstanceIdentity,
  volumes: readonly VolumeSpec[],
  ordinal: number,
): readonly Mount[] {
  let unnamed = 0;
  return volumes.map(({ path, name, external, host }): Mount => {
    if (host !== undefined) return { path, target: host, isExternal: true };
    if (external !== undefined)
      return { path, target: dataOf(dir, external), isExternal: true, volume: { name: external } };
    if (name !== undefined) {
      const shared = `${instance.stack}-${name}`;
      return { path, target: dataOf(dir, shared), isExternal: false, volume: { name: shared } };
    }
    const own = volumeName(instance.name, ordinal, unnamed++, path);
    return { path, target: dataOf(dir, own), isExternal: false, volume: { name: own, instance: instance.name } };
  });
}

/** Every mount leads to a folder. @throws `NOT_FOUND` for a missing external volume or folder, `CONFLICT` for a volume of others. */
export async function ensureMounts(dir: string, instance: InstanceIdentity, mounts: readonly Mount[]): Promise<void> {
  for (const mount of mounts) {
    if (mount.isExternal) await requireFolder(mount);
    else if (mount.volume !== undefined) await ensureVolume(dir, instance, mount.volume);
  }
}

export function readVolumes(dir: string): readonly VolumeRecord[] {
  return namesIn(layout(dir).volumes).flatMap((name) => readVolume(dir, name) ?? []);
}

/** The volume and all that is in it is gone. */
export async function removeVolume(dir: string, name: string): Promise<void> {
  const gone = join(layout(dir).volumes, `.gone-${name}-${randomBytes(4).toString("hex")}`);
  // Out of sight in one step, so that nothing mounts half of its data.
  await unlessAbsent(rename(join(layout(dir).volumes, name), gone));
  await rm(gone, { recursive: true, force: true });
}

async function ensureVolume(
  dir: string,
  instance: InstanceIdentity,
  volume: Pick<VolumeRecord, "name" | "instance">,
): Promise<void> {
  const folder = join(layout(dir).volumes, volume.name);
  const found = readVolume(dir, volume.name);
  if (found !== undefined) return requireLineage(found.labels, instance, `volume ${volume.name}`);
  const making = join(layout(dir).volumes, `.making-${randomBytes(6).toString("hex")}`);
  const record: VolumeRecord = { v: 1, ...volume, labels: instanceLabels(instance) };
  await mkdir(join(making, "data"), { recursive: true, mode: 0o700 });
  await writeFile(join(making, "volume.json"), JSON.stringify(record), { mode: 0o600, flush: true });
  try {
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (errnoOf(error) !== "ENOTEMPTY" && errnoOf(error) !== "EEXIST") throw error;
    const other = readVolume(dir, volume.name);
    if (other === undefined) throw notOurs(folder);
    requireLineage(other.labels, instance, `volume ${volume.name}`);
  }
}

function readVolume(dir: string, name: string): VolumeRecord | undefined {
  if (name.startsWith(".")) return undefined;
  const file = join(layout(dir).volumes, name, "volume.json");
  const text = textIfThere(file);
  if (text === undefined) return undefined;
  try {
    // Written by `ensureVolume` alone, before the folder got its name.
    return JSON.parse(text) as VolumeRecord;
  } catch (cause) {
    throw new CtrlPlaneError("INVALID", `${file} is damaged`, {
      target: file,
      hint: "Restore it from a backup; the data beside it is untouched.",
      cause,
    });
  }
}

async function requireFolder({ target, volume }: Mount): Promise<void> {
  const found = await unlessAbsent(stat(target));
  if (found?.isDirectory() === true) return;
  const what = volume === undefined ? `the folder ${target}` : `the external volume ${volume.name}`;
  const hint =
    volume === undefined
      ? "Make it, or correct `host`."
      : "Correct `external`, or write `name` for a volume that is to be made.";
  throw new CtrlPlaneError("NOT_FOUND", `${what} does not exist`, { target, hint });
}

function notOurs(folder: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${folder} lies where a volume is to be made`, {
    target: folder,
    hint: "Move it away, or give the volume another name.",
  });
}

function dataOf(dir: string, volume: string): string {
  return join(layout(dir).volumes, volume, "data");
}
