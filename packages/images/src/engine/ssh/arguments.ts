import type { SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";

/** Files of one connection, in its private folder: their paths have no character that `ssh` would read as something else. */
export interface ConnectionFiles {
  /** The control socket of its master. */
  readonly control: string;
  /** What the master says, for as long as it runs. */
  readonly log: string;
  /** Of the private key; undefined: what `ssh` offers. */
  readonly key: string | undefined;
  /** Holds `hostKey`; undefined: the user's known hosts. */
  readonly knownHosts: string | undefined;
}

/** Under which a `hostKey` stands in a file of known hosts, whatever the host is called. */
export const hostKeyAlias = "pctl";

/** How long a master stays without a channel, in seconds: it ends by itself where we were killed. */
const persistSeconds = 30;

const always = {
  // Nobody is there to answer a prompt.
  BatchMode: "yes",
  StrictHostKeyChecking: "yes",
  UpdateHostKeys: "no",
  // What a configuration may set for people who log in.
  RemoteCommand: "none",
  RequestTTY: "no",
  EscapeChar: "none",
  ClearAllForwardings: "yes",
  ForwardAgent: "no",
  ForwardX11: "no",
  PermitLocalCommand: "no",
  // Errors are read; banners are not.
  LogLevel: "ERROR",
  ConnectTimeout: "15",
  ConnectionAttempts: "1",
  ServerAliveInterval: "10",
  ServerAliveCountMax: "3",
};

/** Of what goes over a connection that stands, and never makes one. */
const overMaster = { ControlMaster: "no", ProxyCommand: "false" };

/** Of the process that makes the connection, and goes to the background once it stands. Its log says why a channel was refused: nobody else is told. */
export function masterArguments(endpoint: SshEndpoint, files: ConnectionFiles): string[] {
  const own = {
    ControlMaster: "yes",
    ControlPersist: String(persistSeconds),
    LogLevel: "INFO",
    ...keyOptions(files),
  };
  return ["-M", "-N", "-E", files.log, "-S", files.control, ...words({ ...always, ...own }), ...target(endpoint)];
}

/** Of one channel to the engine, as the docker CLI makes it, over a connection that stands. What runs on the host is one of two constants. */
export function channelArguments(endpoint: SshEndpoint, control: string): string[] {
  const command = endpoint.sudo ? "env LC_ALL=C sudo -n docker system dial-stdio" : "docker system dial-stdio";
  return sessionArguments(endpoint, control, command);
}

/** Asks `docker` on the host, over a connection that stands, which engine it would use; what runs there is a constant. */
export function contextArguments(endpoint: SshEndpoint, control: string): string[] {
  return sessionArguments(endpoint, control, "docker context inspect --format '{{.Endpoints.docker.Host}}'");
}

/**
 * Of a command on the host, over a connection that stands. Where the host refuses a further session, `ssh` would log in once more: a proxy that
 * ends at once forbids it.
 */
function sessionArguments(endpoint: SshEndpoint, control: string, command: string): string[] {
  return ["-S", control, ...words({ ...always, ...overMaster }), ...target(endpoint), command];
}

/** Has the connection lead what connects to `path`, on this machine, to `socket` on the host. Forwards of a configuration are none of ours. */
export function socketArguments(
  endpoint: SshEndpoint,
  control: string,
  { path, socket }: { readonly path: string; readonly socket: string },
): string[] {
  return ["-F", "none", "-S", control, "-O", "forward", "-L", `${path}:${socket}`, ...target(endpoint)];
}

/**
 * Of one connection from the host to an address in its networks, over a connection that stands: no session, and no command. That it is open is known by a line
 * of the debug log alone.
 */
export function forwardArguments(endpoint: SshEndpoint, control: string, address: NetworkAddress): string[] {
  const own = { ...overMaster, LogLevel: "DEBUG1" };
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return ["-S", control, ...words({ ...always, ...own }), "-W", `${host}:${address.port}`, ...target(endpoint)];
}

/** Ends the connection. */
export function exitArguments(endpoint: SshEndpoint, control: string): string[] {
  return ["-S", control, "-O", "exit", ...words(always), ...target(endpoint)];
}

/** Has `ssh` write the keys that the host shows to a file. Nothing is sent to the host but the wish to log in. */
export function lookAtKeyArguments(endpoint: SshEndpoint, file: string): string[] {
  const own = { StrictHostKeyChecking: "accept-new", HashKnownHosts: "no", ControlMaster: "no", ControlPath: "none" };
  const login = { PreferredAuthentications: "none", ...knownHostsOptions(file) };
  return ["-N", ...words({ ...always, ...own, ...login }), ...target(endpoint)];
}

function keyOptions({ key, knownHosts }: ConnectionFiles): Record<string, string> {
  return {
    ...(key === undefined ? {} : { IdentityFile: key, IdentitiesOnly: "yes" }),
    ...(knownHosts === undefined ? {} : knownHostsOptions(knownHosts)),
  };
}

function knownHostsOptions(file: string): Record<string, string> {
  return { HostKeyAlias: hostKeyAlias, UserKnownHostsFile: file, GlobalKnownHostsFile: "/dev/null" };
}

function words(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

function target({ user, port, host }: SshEndpoint): string[] {
  const login = user === undefined ? [] : ["-l", user];
  return [...login, ...(port === undefined ? [] : ["-p", String(port)]), "--", host];
}
