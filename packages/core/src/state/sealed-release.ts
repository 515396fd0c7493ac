import { isCtrlPlaneError } from "../errors/error.ts";
import { mask } from "../errors/redaction.ts";
import { canonicalJson } from "../model/hash.ts";
import type { Release } from "../model/release.ts";
import type { FileMount, ImageSpec, ServiceSpec } from "../model/spec.ts";
import type { Sealer } from "../provider/context.ts";
import { compressText, expandText } from "./record-text.ts";

/** A release as it is stored: environment and secret values masked, and beside it sealed. */
export interface SealedRelease {
  readonly release: Release;
  /** Opens with the key to what was masked. */
  readonly sealed: string;
}

/** A release as it was read. Without the key everything but environment and secret values is there. */
export interface OpenedRelease {
  readonly release: Release;
  /** False where values are masked: good for showing, never for deploying. */
  readonly opened: boolean;
  /** Why it could not be opened. */
  readonly problem?: Error;
}

/** All values of a release that nobody may read where it is stored. */
interface Secrets {
  readonly env: Readonly<Record<string, string>>;
  /** Absent where it equals `env`. */
  readonly revisionEnv?: Readonly<Record<string, string>>;
  /** Base64 by the digest of the content. */
  readonly files: Readonly<Record<string, string>>;
  readonly password?: string;
  readonly tlsKey?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly providerOptions?: Readonly<Record<string, unknown>>;
}

/**
 * Masks and seals environment, file contents, registry password, TLS key, build arguments and provider options. The seal holds
 * for this instance and number alone: moved to another record, it does not open.
 */
export function sealRelease(release: Release, sealer: Sealer): SealedRelease {
  const text = JSON.stringify(secretsOf(release));
  return { release: masked(release), sealed: sealer.seal(compressText(text), purposeOf(release)) };
}

/** Throws `INVALID` where the sealed part is damaged; a missing or wrong key is not an error but `opened: false`. */
export function openRelease(stored: SealedRelease, sealer: Sealer): OpenedRelease {
  try {
    const text = sealer.open(stored.sealed, purposeOf(stored.release));
    // Authenticated text that `sealRelease` wrote.
    const secrets = JSON.parse(expandText(text)) as Secrets;
    return { release: unmasked(stored.release, secrets), opened: true };
  } catch (error) {
    if (!isCtrlPlaneError(error) || error.code !== "FORBIDDEN") throw error;
    return { release: stored.release, opened: false, problem: error };
  }
}

function purposeOf(release: Release): string {
  return `release ${release.instance.id} ${release.number} ${release.id}`;
}

function secretsOf({ spec, revision }: Release): Secrets {
  const files = [...spec.files, ...revision.files].map((file) => [file.digest, file.contentBase64] as const);
  return {
    env: spec.env,
    ...(canonicalJson(spec.env) === canonicalJson(revision.env) ? {} : { revisionEnv: revision.env }),
    files: Object.fromEntries(files),
    ...(spec.registry?.password === undefined ? {} : { password: spec.registry.password }),
    ...(spec.tls !== undefined && "key" in spec.tls ? { tlsKey: spec.tls.key } : {}),
    ...(spec.image.kind === "build" ? { buildArgs: spec.image.build.args } : {}),
    ...(spec.providerOptions === undefined ? {} : { providerOptions: spec.providerOptions }),
  };
}

function masked(release: Release): Release {
  return replaced(release, {
    env: maskValues,
    revisionEnv: maskValues,
    file: (file) => ({ ...file, contentBase64: "" }),
    password: () => mask,
    tlsKey: () => mask,
    buildArgs: maskValues,
    providerOptions: maskValues,
  });
}

function unmasked(release: Release, secrets: Secrets): Release {
  return replaced(release, {
    env: () => secrets.env,
    revisionEnv: () => secrets.revisionEnv ?? secrets.env,
    file: (file) => ({ ...file, contentBase64: secrets.files[file.digest] ?? "" }),
    password: (password) => secrets.password ?? password,
    tlsKey: (key) => secrets.tlsKey ?? key,
    buildArgs: (args) => secrets.buildArgs ?? args,
    providerOptions: (options) => secrets.providerOptions ?? options,
  });
}

type Values = Readonly<Record<string, string>>;

interface Replacements {
  env(values: Values): Values;
  revisionEnv(values: Values): Values;
  readonly file: (file: FileMount) => FileMount;
  password(password: string): string;
  tlsKey(key: string): string;
  buildArgs(args: Values): Values;
  providerOptions(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

function replaced(release: Release, by: Replacements): Release {
  const { revision } = release;
  return {
    ...release,
    spec: replacedSpec(release.spec, by),
    revision: { ...revision, env: by.revisionEnv(revision.env), files: revision.files.map(by.file) },
  };
}

function replacedSpec(spec: ServiceSpec, by: Replacements): ServiceSpec {
  const { registry, tls, providerOptions } = spec;
  return {
    ...spec,
    image: replacedImage(spec.image, by),
    env: by.env(spec.env),
    files: spec.files.map(by.file),
    ...(registry?.password === undefined
      ? {}
      : { registry: { ...registry, password: by.password(registry.password) } }),
    ...(tls !== undefined && "key" in tls ? { tls: { ...tls, key: by.tlsKey(tls.key) } } : {}),
    ...(providerOptions === undefined ? {} : { providerOptions: by.providerOptions(providerOptions) }),
  };
}

function replacedImage(image: ImageSpec, by: Replacements): ImageSpec {
  return image.kind === "build" ? { ...image, build: { ...image.build, args: by.buildArgs(image.build.args) } } : image;
}

function maskValues(values: Readonly<Record<string, unknown>>): Values {
  return Object.fromEntries(Object.keys(values).map((name) => [name, mask]));
}
