import type { ProviderDeclaration } from "../model/stack.ts";
import { canonicalJson } from "../model/hash.ts";
import { anyOf, nearest } from "./nearest.ts";
import type { KnownProviderType } from "./options.ts";
import type { At } from "./at.ts";
import type { DeclaredService } from "./schema/service.ts";
import type { DeclaredStack } from "./schema/stack.ts";

/** The platforms that Ctrl Plane is about, by the names of their types; some come with later versions. */
const platforms = [
  "local",
  "docker",
  "kubernetes",
  "eks",
  "aws",
  "gke",
  "gcp",
  "ecs",
  "cloud-run",
  "aci",
  "nomad",
  "fly",
];

type Wanted = DeclaredService["provider"];

/** The stack's providers: those declared, and those that services imply by a type's name or by `{ name, options }`. */
export class DeclaredProviders {
  readonly #types: readonly KnownProviderType[];
  /** Names under `providers`, of refused declarations too. */
  readonly #declared: ReadonlySet<string>;
  readonly #used = new Map<string, ProviderDeclaration>();
  /** For each type's name the options that services gave it: the first keep the plain name. */
  readonly #implied = new Map<string, Map<string, string>>();

  constructor(stack: DeclaredStack, declared: ReadonlySet<string>, types: readonly KnownProviderType[], at: At) {
    this.#types = types;
    this.#declared = declared;
    for (const [name, { type, options = {}, accept = [] }] of Object.entries(stack.providers ?? {})) {
      if (this.#typeOf(type) === undefined) this.#refuse("type", type, at.child("providers").child(name).child("type"));
      else this.#used.set(name, { name, type: this.#typeOf(type) ?? type, options, accept });
    }
  }

  get all(): Readonly<Record<string, ProviderDeclaration>> {
    return Object.fromEntries(this.#used);
  }

  /** The declaration under a name from `providers`, or of a type; undefined after a problem. */
  named(name: string, at: At): ProviderDeclaration | undefined {
    if (this.#declared.has(name)) return this.#used.get(name);
    const type = this.#typeOf(name);
    if (type === undefined) return this.#refuse("provider", name, at);
    return this.#imply(name, type, {});
  }

  /**
   * Of a service's `provider`, or the default: one or more, and none after a problem. Options given with a declared provider's
   * name are the service's own.
   */
  ofService(wanted: NonNullable<Wanted>, at: At): readonly ProviderDeclaration[] {
    if (typeof wanted === "object" && !("name" in wanted)) return this.#listed(wanted, at);
    const found = this.#single(wanted, at);
    return found === undefined ? [] : [found];
  }

  #single(wanted: Exclude<NonNullable<Wanted>, readonly string[]>, at: At): ProviderDeclaration | undefined {
    if (typeof wanted === "string") return this.named(wanted, at);
    const { name, options = {} } = wanted;
    if (this.#declared.has(name)) return this.#used.get(name);
    const type = this.#typeOf(name);
    return type === undefined ? this.#refuse("provider", name, at.child("name")) : this.#imply(name, type, options);
  }

  #listed(names: readonly string[], at: At): readonly ProviderDeclaration[] {
    const found = names.map((name, index) => this.named(name, at.child(index)));
    const all = found.filter((each) => each !== undefined);
    return all.length === names.length && isApart(all, at) ? all : [];
  }

  /** A path, or a package's name with its scope, is a module of the user's own: whoever resolves providers finds it, or says that it is not there. */
  #typeOf(name: string): string | undefined {
    const known = this.#types.find((each) => each.type === name || each.aliases?.includes(name) === true);
    return known?.type ?? (name.includes("/") ? name : undefined);
  }

  #imply(name: string, type: string, options: Readonly<Record<string, unknown>>): ProviderDeclaration {
    const variants = this.#implied.get(name) ?? new Map<string, string>();
    this.#implied.set(name, variants);
    const key = canonicalJson(options);
    const label = variants.get(key) ?? this.#label(name, options, variants.size);
    variants.set(key, label);
    const known = this.#used.get(label);
    if (known !== undefined) return known;
    const declaration = { name: label, type, options, accept: [] };
    this.#used.set(label, declaration);
    return declaration;
  }

  /** `docker` for what has no options or is the only one, then `docker@203.0.113.7` by what tells platforms apart. */
  #label(name: string, options: Readonly<Record<string, unknown>>, index: number): string {
    const parts = ["host", "cluster", "namespace"]
      .map((key) => options[key])
      .filter((each) => typeof each === "string" && each !== "");
    const base = parts.length === 0 ? name : `${name}@${parts.join("/")}`;
    if (!this.#used.has(base)) return base;
    return `${base}#${index + 1}`;
  }

  #refuse(what: "type" | "provider", name: string, at: At): undefined {
    if (platforms.includes(name))
      return at.problem({
        code: "later",
        summary: `the provider ${name} is not part of this version`,
        hint: `Known here: ${anyOf(this.#names)}.`,
      });
    const near = nearest(name, what === "type" ? this.#names : [...this.#declared, ...this.#names]);
    const known = what === "type" ? this.#names : [...this.#declared, ...this.#names];
    return at.problem({
      code: "unknown-provider",
      summary: `there is no provider ${what === "type" ? "type " : ""}${name}`,
      hint: near === undefined ? `Known are ${anyOf(known)}.` : `Did you mean ${near}?`,
    });
  }

  get #names(): string[] {
    return this.#types.flatMap((each) => [each.type, ...(each.aliases ?? [])]);
  }
}

/** One platform has one instance of a service: false, with the problem told, where two of the list mean the same. */
function isApart(listed: readonly ProviderDeclaration[], at: At): boolean {
  const seen = new Map<string, string>();
  for (const [index, { name, type, options }] of listed.entries()) {
    const platform = `${type} ${canonicalJson(options)}`;
    const other = seen.get(platform);
    if (other !== undefined) {
      at.child(index).problem({
        code: "same-platform",
        summary: other === name ? `${name} stands here twice` : `${other} and ${name} are one platform`,
        hint: "A service has one instance on a platform; for more replicas write scale: { replica: N }.",
      });
      return false;
    }
    seen.set(platform, name);
  }
  return true;
}
