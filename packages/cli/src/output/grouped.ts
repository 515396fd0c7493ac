/** Items with the same key together, in the order of their first. */
export function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): [T, ...T[]][] {
  // No group is empty.
  return [...Map.groupBy(items, keyOf).values()] as [T, ...T[]][];
}

/** What to do about it, each sentence once: below what it is about. */
export function helpOf(items: readonly { readonly hint?: string | undefined }[]): string[] {
  return [...new Set(items.flatMap(({ hint }) => hint ?? []))].map((hint) => `  help: ${hint}`);
}
