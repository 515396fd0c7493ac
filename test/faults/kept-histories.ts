import type { Deed } from "./histories.ts";

/** Histories that once ended badly, as small as they could be made. */
export const keptHistories: readonly { readonly name: string; readonly deeds: readonly Deed[] }[] = [];
