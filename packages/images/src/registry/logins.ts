import type { RegistrySpec } from "@ctrlplane/core/provider";
import { dockerLogin } from "./docker-config.ts";
import { registryHost, type RegistryLogin } from "./login.ts";

/** Finds the login for a registry's host; undefined where there is none, which is right for public images. */
export type FindLogin = (registry: string) => Promise<RegistryLogin | undefined>;

/** Logins that the user declared for one registry come first, then those of the docker configuration (see `dockerLogin`). */
export function findLogin(
  declared: RegistrySpec | undefined,
  env: Readonly<Record<string, string | undefined>>,
): FindLogin {
  return (registry) => {
    const isDeclared = declared !== undefined && declaredHost(declared.url) === registryHost(registry);
    const { username, password } = declared ?? {};
    if (isDeclared && username !== undefined && password !== undefined)
      return Promise.resolve({ kind: "password", username, password });
    return dockerLogin(registryHost(registry), env);
  };
}

/** A place without a host is on the Hub, as in the name of an image: `ann/shop`. */
function declaredHost(url: string): string {
  const host = registryHost(url);
  return /^https?:\/\//.test(url) || /[.:]/.test(host) || host === "localhost" ? host : "docker.io";
}
