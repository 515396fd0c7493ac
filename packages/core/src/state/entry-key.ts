/** The key of an instance in the state document: `{stack}-{service}`, as in the seed. */
export function entryKey(instance: { readonly name: string }): string {
  return instance.name;
}
