/**
 * What the gateway serves, as the supervisor writes it to `routes.json` and sends it by `apply`. Plain data: it goes
 * through JSON and comes back equal.
 */
export interface RouteTable {
  /** Rises with each table. The gateway refuses one that is lower than its own. */
  readonly version: number;
  readonly entrances: readonly Entrance[];
}

/**
 * - `auto`: each connection is judged by the client's first bytes: a request line of HTTP, else TCP; none in 200 ms: TCP.
 * - `http`: ended in the gateway, request by request.
 * - `tcp`: one connection here is one connection there, with half-close.
 * - `udp`: datagrams; each client has its own socket to one replica, until 60 s pass without a datagram.
 */
export type EntranceProtocol = "auto" | "http" | "tcp" | "udp";

/** A port that clients reach. */
export interface Entrance {
  /** Unique in the table; names the entrance in `stats`. */
  readonly id: string;
  /**
   * Where it listens: an IP address, or `*` for every address of the machine, IPv6 as well where it exists. Linux answers
   * the whole of 127.0.0.0/8, so that a loopback address of an instance needs no set-up.
   */
  readonly address: string;
  /** 1 to 65535. One pair of address and port (and transport) stands once in a table. */
  readonly port: number;
  readonly protocol: EntranceProtocol;
  /** Who serves what no route in `domains` takes. Absent: such requests get 404, such connections are closed. */
  readonly backend?: Backend;
  /** HTTP only. The longest matching path of a matching host chooses. */
  readonly domains?: readonly DomainRoute[];
}

export interface DomainRoute {
  /** Name without port, any case, e.g. `shop.example.com`; `*.example.com` stands for one further label. */
  readonly host: string;
  /** Prefix, whole segments: `/api` takes `/api` and `/api/x`, not `/apix`. `/` takes all. */
  readonly path: string;
  readonly backend: Backend;
}

/** Who answers: the replicas of one instance at one container port. */
export interface Backend {
  /** Name of the instance, e.g. `shop-web`: what a 503 names. */
  readonly instance: string;
  /** Ready and routed replicas. Empty: new requests wait up to 1 s for one, then get 503. */
  readonly targets: readonly Target[];
}

export interface Target {
  readonly replicaId: string;
  /** IP address, e.g. `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** Share relative to the other targets of the backend, ≥ 0; with 0 it gets nothing new. Usually 1 or 100. */
  readonly weight: number;
}
