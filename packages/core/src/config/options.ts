import type { Redactor } from "../errors/redaction.ts";
import type { Resolver } from "./resolver.ts";

/** A provider type that the caller knows. */
export interface KnownProviderType {
  readonly type: string;
  readonly aliases?: readonly string[];
  /** Each service has an address of its own there, so that two may have the same host port. Default: true for the clusters and clouds that Ctrl Plane knows, false for others. */
  readonly hasOwnAddresses?: boolean;
}

export interface LoadOptions {
  /** Absolute. The file is relative to it, and diagnostics show it relative to it. */
  readonly cwd: string;
  /** `--name`: takes the place of `name` before anything else happens; no environment changes it. */
  readonly name?: string;
  /** `--env` or PCTL_ENV. */
  readonly environment?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--env-file`, relative to `cwd`; the first one that sets a secret wins. */
  readonly envFiles?: readonly string[];
  /** Learns every secret value, for good. */
  readonly redactor: Redactor;
  /**
   * `operate`: services' `env`, `secrets`, `registry` and `build.args` keep their expressions, `files` are not read, fingerprints
   * are left out, and a secret that is not set leaves its expression where it stands. All else is as for `deploy`.
   */
  readonly purpose: "deploy" | "operate";
  /** Names only; options are checked by the engine. */
  readonly providerTypes: readonly KnownProviderType[];
  readonly resolvers?: readonly Resolver[];
}
