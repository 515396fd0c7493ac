/** Where a Docker Engine answers. Plain data. */
export type Endpoint = SocketEndpoint | TcpEndpoint | SshEndpoint;

export interface SocketEndpoint {
  readonly kind: "socket";
  /** Absolute path of its Unix socket. */
  readonly path: string;
}

export interface TcpEndpoint {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** Default true. */
    readonly verify?: boolean;
  };
}

/** The engine that the `docker` command uses on a host that is reached with this machine's `ssh`: its configuration, agent, jump hosts and known hosts count. */
export interface SshEndpoint {
  readonly kind: "ssh";
  /** Name, address, or a `Host` of the configuration of `ssh`. See `isHostName`. */
  readonly host: string;
  /** Default: what `ssh` would take. See `isUserName`. */
  readonly user?: string;
  /** Default: what `ssh` would take. */
  readonly port?: number;
  /** Private key: the path of its file, or its text. Default: those that `ssh` would offer. */
  readonly key?: string;
  /** The host's public key, `ssh-ed25519 AAAA…`; several, one a line. Default: those of the known hosts. No other one is accepted. */
  readonly hostKey?: string;
  /** `docker` runs under `sudo` there, which must not ask for a password. */
  readonly sudo: boolean;
}

/** As the docker CLI writes it in `DOCKER_HOST`. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === "socket") return `unix://${endpoint.path}`;
  const { kind, host, port } = endpoint;
  const name = host.includes(":") ? `[${host}]` : host;
  const user = endpoint.kind === "ssh" && endpoint.user !== undefined ? `${endpoint.user}@` : "";
  return `${kind}://${user}${name}${port === undefined ? "" : `:${port}`}`;
}

/** Whether it can be a host's name or address, IPv6 without brackets. What a shell or `ssh` would read as something else is none. */
export function isHostName(text: string): boolean {
  return /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/.test(text);
}

/** Whether it can be a user's name on a host. */
export function isUserName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/.test(text);
}

export function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

/** Whether each line is a public key as `ssh-keygen` writes it: type, base64 and perhaps a comment. */
export function isHostKey(text: string): boolean {
  const lines = text.trim().split("\n");
  return lines.every((line) => /^[a-z0-9][a-z0-9@.-]+ [A-Za-z0-9+/]{16,}={0,2}( .*)?$/.test(line.trim()));
}

/** Whether a key or certificate is the thing itself, and not the path of its file. */
export function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}
