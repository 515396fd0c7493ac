import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { ServingEntrance } from "./serving-entrance.ts";
import type { Upstream } from "./upstream.ts";

const idleMs = 60_000;
/** Clients at a time; a further one takes the place of the one that was silent longest. */
const mostClients = 4096;

interface Client {
  readonly socket: Socket;
  readonly upstream: Upstream;
  lastAt: number;
  end(): void;
}

/** Passes datagrams between clients and replicas: a client stays with its replica until it is silent for 60 s. */
export class UdpRelay {
  readonly #entrance: ServingEntrance;
  readonly #listening: Socket;
  readonly #clients = new Map<string, Client>();
  readonly #sweep: NodeJS.Timeout;

  constructor(entrance: ServingEntrance, listening: Socket) {
    this.#entrance = entrance;
    this.#listening = listening;
    this.#sweep = setInterval(() => this.#endSilent(), 5000).unref();
    listening.on("message", (message, from) => this.#toReplica(message, from));
  }

  get size(): number {
    return this.#clients.size;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const client of this.#clients.values()) client.end();
    this.#listening.close();
  }

  #toReplica(message: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    const client = this.#clients.get(key) ?? this.#open(key, from);
    if (client === undefined) {
      this.#entrance.refused += 1;
      return;
    }
    client.lastAt = performance.now();
    // Moved to the end: the first of the map is the one that was silent longest.
    this.#clients.delete(key);
    this.#clients.set(key, client);
    client.socket.send(message, client.upstream.port, client.upstream.host);
  }

  #open(key: string, from: RemoteInfo): Client | undefined {
    const upstream = this.#entrance.routes.fallback?.choose([]);
    if (upstream === undefined) return undefined;
    const oldest = this.#clients.size >= mostClients ? this.#clients.values().next().value : undefined;
    oldest?.end();
    const socket = createSocket(upstream.host.includes(":") ? "udp6" : "udp4");
    const client: Client & { cut(): void } = {
      socket,
      upstream,
      lastAt: 0,
      end: () => {
        if (this.#clients.get(key) === client) this.#clients.delete(key);
        upstream.ended(client);
        socket.close();
      },
      cut: () => client.end(),
    };
    // An ICMP error, e.g. of a closed port: a datagram is lost, as datagrams may be.
    socket.on("error", () => {
      upstream.failures += 1;
    });
    socket.on("message", (message) => this.#listening.send(message, from.port, from.address));
    upstream.began(client);
    this.#clients.set(key, client);
    return client;
  }

  #endSilent(): void {
    const now = performance.now();
    for (const client of this.#clients.values()) {
      if (now - client.lastAt > idleMs || !client.upstream.isRouted) client.end();
    }
  }
}
