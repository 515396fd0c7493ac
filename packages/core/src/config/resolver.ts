/** What a resolver may know. */
export interface ResolverContext {
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the configuration file, absolute. */
  readonly folder: string;
  /** The chosen entry of `environments:`, or what `--env` says. */
  readonly environment?: string;
}

/** Gives values to `${name:key}`. Each key is asked for once in a run. */
export interface Resolver {
  /** The word before the colon: letters, digits, `_` and `-`. */
  readonly name: string;
  /** Its values are secrets: masked wherever they would be shown, refused where others could read them. Default false. */
  readonly secret?: boolean;
  /**
   * The value of a key, of any type that YAML knows; undefined where there is none, for which the fallback stands. A
   * failure is thrown: no fallback stands for it.
   */
  resolve(key: string, context: ResolverContext): unknown;
}

/** A resolver of the user's own: the default export of a module named under `resolver:`, or an entry of `LoadOptions.resolvers`. */
export function defineResolver(resolver: Resolver): Resolver {
  return resolver;
}

export function isResolver(value: unknown): value is Resolver {
  return (
    value !== null &&
    typeof value === "object" &&
    "name" in value &&
    typeof value.name === "string" &&
    "resolve" in value &&
    typeof value.resolve === "function"
  );
}
