/** The key of an instance in the state document: `{stack}-{service}`, as in the seed. */
export function entryKey(instance: { readonly name: string }): string {
  return instance.name;
}

/** The instance's name in such a key; one of several on different providers has `{name}@{provider}`, and no name holds the sign. */
export function entryName(key: string): string {
  return key.split("@")[0] ?? key;
}
