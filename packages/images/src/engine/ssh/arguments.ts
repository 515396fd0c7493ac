import type { SshEndpoint } from "../endpoint.ts";

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

/** Of the process that makes the connection, and goes to the background once it stands. Its log says why it could not. */
export function masterArguments(endpoint: SshEndpoint, files: ConnectionFiles): string[] {
  const own = {
    ControlMaster: "yes",
    ControlPersist: String(persistSeconds),
    LogLevel: "INFO",
    ...keyOptions(files),
  };
  return ["-M", "-N", "-E", files.log, "-S", files.control, ...words({ ...always, ...own }), ...target(endpoint)];
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
