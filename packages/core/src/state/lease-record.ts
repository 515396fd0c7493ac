import { CtrlPlaneError } from "../errors/error.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Ledger } from "../provider/ledger.ts";
import { readRecord, writeRecord } from "./record-text.ts";
import type { FieldTypes } from "./record-text.ts";

/** Who holds a lease; shown to those who wait for it. */
export interface LeaseHolder {
  /** Made anew for each lease. */
  readonly id: string;
  readonly user: string;
  /** Name of the machine, for people. */
  readonly host: string;
  readonly pid: number;
  /** Start time of that process, so that a pid that was given away again is not taken for it. Absent where the system does not tell. */
  readonly startTime?: string;
  /** Tells on which machine, since which boot and in which pid namespace `pid` means something. Absent: nobody can judge it. */
  readonly hostId?: string;
  /** e.g. `deploy`. */
  readonly command: string;
}

/** The lease as it is stored. It is never removed, so that the epoch never falls. */
export interface LeaseRecord {
  /** Rises with every holder. */
  readonly epoch: number;
  readonly holder: LeaseHolder;
  /** ISO 8601, the holder's clock: for people, never compared. */
  readonly since: string;
  readonly ttlMs: number;
  /** Counts renewals: makes every version another. */
  readonly renewals: number;
  /** Nobody holds it. */
  readonly released: boolean;
}

export interface StoredLease {
  readonly record: LeaseRecord;
  readonly version: string;
}

const fields: FieldTypes<LeaseRecord> = {
  epoch: "number",
  holder: "object",
  since: "string",
  ttlMs: "number",
  renewals: "number",
};

export function leaseText(record: LeaseRecord): string {
  return writeRecord("lease", record);
}

export async function readLease(
  ledger: Ledger,
  name: string,
  context: ProviderContext,
): Promise<StoredLease | undefined> {
  const found = await ledger.read(name, context);
  return found === undefined ? undefined : { record: parseLease(found.value, name), version: found.version };
}

export function parseLease(text: string, name: string): LeaseRecord {
  return readRecord<LeaseRecord>("lease", text, name, fields);
}

/** `ana on build-7 (deploy, pid 4711, since 12:30:01)`. */
export function describeHolder({ holder, since }: Pick<LeaseRecord, "holder" | "since">): string {
  return `${holder.user} on ${holder.host} (${holder.command}, pid ${holder.pid}, since ${since})`;
}

/** The lease is somebody else's: `CONFLICT` with target `lease`; the command line ends with exit code 5. */
export function leaseHeld(stack: string, lease: Pick<LeaseRecord, "holder" | "since">): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${stack} is being changed by ${describeHolder(lease)}`, {
    target: leaseTarget,
    retryable: true,
    hint: "Wait until it has ended (`--lock-wait 10m`), or end it there. If nobody can: `pctl state unlock`.",
  });
}

export function leaseLost(stack: string, why: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `the lease of ${stack} was lost: ${why}`, {
    target: leaseTarget,
    hint: "Nothing was written after that. Run the command again: it goes on where this one stopped.",
  });
}

/** `target` of errors about a lease. */
export const leaseTarget = "lease";
