import type { ProviderDeclaration, Stack } from "../model/stack.ts";
import { entryName } from "../state/entry-key.ts";
import type { StateDocument, StateEntry } from "../state/store.ts";

/** Options that say which platform a provider means, as an entry of the state file carries them. */
const places = ["host", "user", "key", "sudo", "cluster", "namespace", "project", "zone"] as const;
/** Those that tell two platforms apart. */
const apart = ["host", "cluster", "namespace"] as const;

/**
 * The provider that an entry of the state file means. pctl 1.1 wrote the type alone, and beside it which host or cluster: that is the
 * declared provider which leads there. One that nothing declares any more is made of what the entry says, so that what it left can
 * still be reached.
 */
export function recordedProvider(key: string, entry: StateEntry, stack: Stack): ProviderDeclaration {
  const { provider } = entry;
  const isOurs = entry.instance !== undefined;
  const named = stack.providers[provider];
  if (named !== undefined && (isOurs || isThere(named.options, entry))) return named;
  const service = entryName(key).slice(stack.name.length + 1);
  const own = stack.services[service]?.providers ?? [];
  const all = Object.values(stack.providers).sort(
    (a, b) => Number(own.includes(b.name)) - Number(own.includes(a.name)),
  );
  const type = provider.split(/[@#]/, 1)[0] ?? provider;
  const declared = isOurs ? undefined : all.find((each) => each.type === type && isThere(each.options, entry));
  if (declared !== undefined) return declared;
  const options = placeOf(entry);
  if (Object.keys(options).length === 0) return { name: provider, type, options, accept: [] };
  const at = apart.flatMap((each) => options[each] ?? []);
  const name = isOurs || at.length === 0 ? provider : `${provider}@${at.join("/")}`;
  return { name, type, options, accept: [] };
}

/** The stack, with providers that its state names and its file does not; and the document, in which entries bear the names of providers. */
export function withRecordedProviders(
  stack: Stack,
  document: StateDocument | undefined,
): { readonly stack: Stack; readonly document: StateDocument | undefined } {
  if (document === undefined) return { stack, document };
  const providers = { ...stack.providers };
  const entries = Object.entries(document.entries).map(([key, entry]): [string, StateEntry] => {
    if (entry.destroyed === true) return [key, entry];
    const found = recordedProvider(key, entry, stack);
    providers[found.name] ??= found;
    return [key, { ...entry, provider: found.name }];
  });
  return { stack: { ...stack, providers }, document: { ...document, entries: Object.fromEntries(entries) } };
}

/** What an entry has to carry so that its provider is found when no file declares it any more. Keys by their path alone. */
export function placeOf(options: Readonly<Record<string, unknown>>): Readonly<Record<string, string | boolean>> {
  const found = places.flatMap((name): [string, string | boolean][] => {
    const value = options[name];
    if (typeof value === "boolean") return [[name, value]];
    const isPlain = typeof value === "string" && value !== "" && !value.includes("\n");
    return isPlain && !(name === "host" && value === "local") ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

/** An entry without what says where it was. */
export function withoutPlace(entry: StateEntry): StateEntry {
  const isPlace = (name: string): boolean => places.some((each) => each === name);
  const { provider, ...rest } = entry;
  return { provider, ...Object.fromEntries(Object.entries(rest).filter(([name]) => !isPlace(name))) };
}

function isThere(options: Readonly<Record<string, unknown>>, entry: StateEntry): boolean {
  const [declared, recorded] = [placeOf(options), placeOf(entry)];
  return apart.every((name) => declared[name] === recorded[name]);
}
