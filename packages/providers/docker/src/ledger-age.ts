import { label } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import type { Role } from "./labels.ts";
import { findVolumes, type VolumeAnswer } from "./volume-list.ts";

const ledger: Role = "ledger";

/** By stack, when the oldest record in its ledger was written: milliseconds since the epoch, by the engine's clock, in whole seconds. */
export function ledgerAges(volumes: readonly VolumeAnswer[]): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const { Labels, CreatedAt } of volumes) {
    const stack = Labels?.[label.stack];
    if (stack === undefined || CreatedAt === undefined || Labels?.[label.role] !== ledger) continue;
    ages.set(stack, Math.min(Date.parse(CreatedAt), ages.get(stack) ?? Infinity));
  }
  return ages;
}

export function ledgerVolumes(
  engine: EngineClient,
  stack: string,
  signal: AbortSignal,
): Promise<readonly VolumeAnswer[]> {
  const labels = [
    [label.role, ledger],
    [label.stack, stack],
  ] as const;
  return findVolumes(engine, labels, signal);
}
