import leven from "leven";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Provider } from "./provider.ts";

/** Named providers. Two of one type live side by side under two names. */
export interface ProviderRegistry {
  /** Throws `CONFLICT` where another provider has the name, `INVALID` for an empty one. */
  register(name: string, provider: Provider): void;
  /** Throws `NOT_FOUND`, naming the nearest and all known ones. */
  get(name: string): Provider;
  /** The one that `setDefault` named; registering does not make a default. Throws `NOT_FOUND` where none was named. */
  default(): Provider;
  /** Throws `NOT_FOUND` for a name that is not registered. */
  setDefault(name: string): void;
  /** Names, in the order in which they were registered. */
  list(): readonly string[];
}

export function createRegistry(): ProviderRegistry {
  const providers = new Map<string, Provider>();
  let defaultName: string | undefined;

  const get = (name: string): Provider => {
    const provider = providers.get(name);
    if (provider === undefined) throw unknownProvider(name, [...providers.keys()]);
    return provider;
  };

  return {
    get,
    register(name, provider) {
      if (name === "") throw new CtrlPlaneError("INVALID", "a provider needs a name");
      const known = providers.get(name);
      if (known !== undefined && known !== provider) {
        throw new CtrlPlaneError("CONFLICT", `a provider is registered as ${name} already`, {
          provider: name,
          hint: "register it under another name",
        });
      }
      providers.set(name, provider);
    },
    default() {
      if (defaultName !== undefined) return get(defaultName);
      throw new CtrlPlaneError("NOT_FOUND", "there is no default provider", { hint: "name one with setDefault" });
    },
    setDefault(name) {
      get(name);
      defaultName = name;
    },
    list: () => [...providers.keys()],
  };
}

function unknownProvider(name: string, known: readonly string[]): CtrlPlaneError {
  const [nearest] = known.toSorted((a, b) => leven(a, name) - leven(b, name));
  const isNear = nearest !== undefined && leven(nearest, name) <= Math.max(2, name.length / 3);
  const names = known.length === 0 ? "none is registered" : `registered are: ${known.join(", ")}`;
  return new CtrlPlaneError("NOT_FOUND", `no provider is named ${name}`, {
    provider: name,
    hint: isNear ? `did you mean ${nearest}? ${names}` : names,
  });
}
