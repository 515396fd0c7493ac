import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** Longest path that the kernel takes for a unix socket, its closing NUL excluded. */
const longestSocketPath = 107;

/** The processes of ours that listen on a socket of the data folder. */
export type Daemon = "supervisor" | "gateway";

/** Paths in a data folder; every one is absolute. The supervisor alone writes `instances`, `replicas`, `archive`, `trash`, `routes` and `epochs`. */
export interface Layout {
  readonly dir: string;
  readonly platform: string;
  readonly ledger: string;
  readonly routes: string;
  /** Highest epoch seen, by stack. */
  readonly epochs: string;
  readonly snapshots: string;
  readonly volumes: string;
  readonly instances: string;
  readonly replicas: string;
  readonly archive: string;
  /** Removed replicas whose files are being deleted. */
  readonly trash: string;
}

/** Paths of the data folder `dir`, which must be absolute. */
export function layout(dir: string): Layout {
  return {
    dir,
    platform: join(dir, "platform.json"),
    ledger: join(dir, "ledger"),
    routes: join(dir, "routes.json"),
    epochs: join(dir, "epochs.json"),
    snapshots: join(dir, "snapshots"),
    volumes: join(dir, "volumes"),
    instances: join(dir, "instances"),
    replicas: join(dir, "replicas"),
    archive: join(dir, "archive"),
    trash: join(dir, "trash"),
  };
}

/** Files of one replica, in `replicas/<id>/`, and (apart from `work` and `environment`) in `archive/<instance>/<id>/` once it is removed. */
export interface ReplicaFiles {
  readonly folder: string;
  readonly record: string;
  /** Its environment, sealed. */
  readonly environment: string;
  /** Its working folder. */
  readonly work: string;
  readonly log: string;
  /** Lines `byteOffset epochMs [run]`: from that byte of `log` on, output came at that time; with `run`, of that run. */
  readonly logIndex: string;
  /** The shim that was started for the current run; written before the shim may start anything. */
  readonly shim: string;
  readonly run: string;
  readonly exit: string;
  /** What the supervisor knows of it: readiness, starts, restarts. */
  readonly state: string;
}

export function replicaFiles(folder: string): ReplicaFiles {
  return {
    folder,
    record: join(folder, "replica.json"),
    environment: join(folder, "env.sealed"),
    work: join(folder, "work"),
    log: join(folder, "log"),
    logIndex: join(folder, "log.index"),
    shim: join(folder, "shim.json"),
    run: join(folder, "run.json"),
    exit: join(folder, "exit.json"),
    state: join(folder, "state.json"),
  };
}

/** `instances/<name>/instance.json`. */
export function instanceFile(dir: string, name: string): string {
  return join(layout(dir).instances, name, "instance.json");
}

/** `{replica name}.{8 hex digits}`: equal for one deployment, revision key and ordinal, however often it is asked for. */
export function replicaId(name: string, of: { deployment: string; revisionKey: string; ordinal: number }): string {
  const text = JSON.stringify([of.deployment, of.revisionKey, of.ordinal]);
  return `${name}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
}

/** `{ pid, startTime, startedAt, version }` of a daemon. */
export function daemonFile(dir: string, daemon: Daemon): string {
  return join(dir, `${daemon}.json`);
}

export function daemonLog(dir: string, daemon: Daemon): string {
  return join(dir, `${daemon}.log`);
}

/**
 * Where a daemon listens: `<dir>/<daemon>.sock`, or, where that is too long for a socket, a file in a folder of ours under
 * the system's temporary folder. Creates nothing.
 */
export function socketPath(dir: string, daemon: Daemon): string {
  const plain = join(dir, `${daemon}.sock`);
  if (Buffer.byteLength(plain) <= longestSocketPath) return plain;
  return join(shortSocketFolder(), `${folderHash(dir)}-${daemon}.sock`);
}

/** 16 hex digits that stand for a data folder. */
export function folderHash(dir: string): string {
  return createHash("sha256").update(dir).digest("hex").slice(0, 16);
}

/**
 * Makes the data folder (mode 0700) and what holds its sockets. Throws `FORBIDDEN` where the folder for sockets belongs to
 * somebody else or is open to others.
 */
export function prepareDataFolder(dir: string): void {
  const paths = layout(dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const folder of [paths.snapshots, paths.volumes, paths.instances, paths.replicas, paths.archive, paths.trash]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  if (basename(socketPath(dir, "supervisor")) !== "supervisor.sock") prepareShortSocketFolder();
}

function shortSocketFolder(): string {
  return join(tmpdir(), `pctl-${process.getuid?.() ?? 0}`);
}

function prepareShortSocketFolder(): void {
  const folder = shortSocketFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new CtrlPlaneError("FORBIDDEN", `${folder} is not a folder of yours`, {
      target: folder,
      hint: "Remove it, or choose a shorter data folder (option dir).",
    });
  }
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}
