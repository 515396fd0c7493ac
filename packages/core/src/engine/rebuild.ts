import { isCtrlPlaneError } from "../errors/error.ts";
import type { Stack } from "../model/stack.ts";
import type { StackStatus } from "../control-plane.ts";
import { DocumentDraft } from "../apply/document-draft.ts";
import { breakLease } from "../state/lease.ts";
import type { StateDocument } from "../state/store.ts";
import { readContext, type Core } from "../platforms/core.ts";
import { knownInstances } from "./known.ts";
import { stackScope } from "../platforms/bind.ts";
import { describeLease } from "./status.ts";
import { survey } from "./survey.ts";

/**
 * Writes the state document anew from what serves and from the ledgers; entries of what is gone stay, marked. `everywhere`: on every
 * provider that is declared, not only on those that are known to be used.
 */
export async function rebuildState(
  core: Core,
  stack: Stack,
  { everywhere = false }: { readonly everywhere?: boolean } = {},
): Promise<StateDocument> {
  const context = readContext(core, stack.name);
  const { before, isDamaged } = await readable(core, stack);
  const seen = await survey(
    { ...core, store: { ...core.store, read: () => Promise.resolve(before), list: () => core.store.list() } },
    stack,
    context,
    everywhere ? { also: Object.keys(stack.providers) } : {},
  );
  const draft = new DocumentDraft(before, seen.lineage, stack);
  draft.changed(Math.max(before?.lastChange ?? 0, seen.lastChange?.number ?? 0));
  for (const known of knownInstances(stack, seen).values()) {
    const { observed, instance } = known;
    if (observed?.settled === undefined) {
      const bound = seen.platforms.providers.get(instance.provider);
      if (observed === undefined && bound !== undefined && "platform" in bound) draft.removed(instance);
      continue;
    }
    const ledger = seen.surveys.get(instance.platformId)?.platform.ledger;
    const opened = await ledger?.openRelease(instance.service, observed.settled.number, context);
    if (opened !== undefined) draft.serves({ ...opened.release, instance });
  }
  if (isDamaged) await core.store.setAside(stack.name);
  return draft.replace(core.store, stack.name);
}

/** What the store holds, or nothing where it is damaged: it is about to be moved away. */
async function readable(core: Core, stack: Stack): Promise<{ before: StateDocument | undefined; isDamaged: boolean }> {
  try {
    return { before: await core.store.read(stack.name), isDamaged: false };
  } catch (error) {
    if (isCtrlPlaneError(error) && error.code === "INVALID") return { before: undefined, isDamaged: true };
    throw error;
  }
}

/** Takes the lease of a stack away on every platform; returns whose it was. */
export async function unlockStack(core: Core, stack: Stack): Promise<StackStatus["lease"]> {
  const context = readContext(core, stack.name);
  const seen = await survey(core, stack, context);
  let broken: StackStatus["lease"];
  for (const platform of seen.platforms.platforms.values()) {
    const held = await breakLease(platform.records, stackScope(stack), context);
    if (held !== undefined) broken = describeLease(held);
  }
  return broken;
}
