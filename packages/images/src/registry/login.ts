/** What proves to a registry who asks. */
export type RegistryLogin =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** A token that the registry gave for a password. */
  | { readonly kind: "token"; readonly identityToken: string };

/** Headers of a call of the engine that reaches `registry`, a host. None without a login. */
export function loginHeaders(login: RegistryLogin | undefined, registry: string): Readonly<Record<string, string>> {
  if (login === undefined) return {};
  return { "X-Registry-Auth": headerOf(loginForEngine(login, registry)) };
}

/** As the engine's API wants it. */
export function loginForEngine(login: RegistryLogin, registry: string): Readonly<Record<string, string>> {
  const serveraddress = serverAddress(registry);
  if (login.kind === "token") return { identitytoken: login.identityToken, serveraddress };
  return { username: login.username, password: login.password, serveraddress };
}

/** The key under which docker keeps the login of a registry's host: the Hub has one of its own. */
export function serverAddress(registry: string): string {
  return /^(?:(?:index|registry-1)\.)?docker\.io$/.test(registry) ? "https://index.docker.io/v1/" : registry;
}

/** The host that a registry's URL means. */
export function registryHost(url: string): string {
  const host = url.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return /^(?:index|registry-1)\.docker\.io$/.test(host) ? "docker.io" : host;
}

/** As engines read it: the alphabet of URLs, and padded, which some of them insist on. */
export function headerOf(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
