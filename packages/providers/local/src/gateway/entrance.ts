import { createSocket } from "node:dgram";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { createServer } from "../protocol/node-http.ts";
import type { EntranceStats } from "./client.ts";
import { EntranceRoutes } from "./entrance-routes.ts";
import { awaitFirstBytes } from "./first-bytes.ts";
import { HttpExchange } from "./http-exchange.ts";
import { log } from "../process/log.ts";
import type { Entrance } from "./routes.ts";
import type { ServingEntrance } from "./serving-entrance.ts";
import { passTcp } from "./tcp-passage.ts";
import { UdpRelay } from "./udp-relay.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";

/** An open port, and what is served there. */
export interface OpenEntrance extends ServingEntrance {
  /** What new connections and requests follow from now on. */
  serve(entrance: Entrance, routes: EntranceRoutes): void;
  /** The port closes at once; what is open goes on until it ends. */
  close(): void;
  stats(): EntranceStats;
}

/** Clients keep idle connections for long, since a connection that the gateway closes may be in use at that moment. */
const clientIdleMs = 75_000;
/** For a head, from its first byte on. */
const headersTimeoutMs = 60_000;
const largestHeadBytes = 64 * 1024;
const backlog = 4096;
const noRoutes = new EntranceRoutes(undefined, []);

/** `tcp` for all entrances that are no `udp`. */
export function transportOf(entrance: Entrance): "tcp" | "udp" {
  return entrance.protocol === "udp" ? "udp" : "tcp";
}

/** Opens the port. Rejects with the system's error, e.g. `EADDRINUSE`. It serves nothing before `serve`. */
export function openEntrance(entrance: Entrance): Promise<OpenEntrance> {
  return transportOf(entrance) === "udp" ? openUdp(entrance) : openTcp(entrance);
}

abstract class BaseEntrance implements ServingEntrance {
  routes = noRoutes;
  requests = 0;
  refused = 0;
  isClosing = false;
  protected connections = 0;
  protected config: Entrance;

  constructor(config: Entrance) {
    this.config = config;
  }

  serve(config: Entrance, routes: EntranceRoutes): void {
    this.config = config;
    this.routes = routes;
  }

  stats(): EntranceStats {
    const { id, address, port } = this.config;
    return {
      id,
      address,
      port,
      connections: this.connections,
      openConnections: this.open(),
      requests: this.requests,
      refused: this.refused,
    };
  }

  protected abstract open(): number;
}

/**
 * HTTP and TCP share Node's HTTP server, which is a TCP server with a listener that reads requests: connections that are no HTTP never
 * get to that listener, and the protocol can change while the port stays open.
 */
class TcpEntrance extends BaseEntrance implements OpenEntrance {
  readonly #server: Server;
  readonly #serveHttp: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  /**
   * A client spoke HTTP to the service. One that says nothing is slow, or connected ahead of its need as browsers do: taken for
   * TCP it would hold up a drain, and be cut at its end.
   */
  #isHttpSeen = false;

  constructor(config: Entrance, server: Server) {
    super(config);
    this.#server = server;
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    this.#serveHttp = (socket) => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on("connection", (socket: Socket) => this.#accept(socket));
    server.on("request", (request, response) => new HttpExchange(this, request, response).start());
    server.on("checkContinue", (request, response) => new HttpExchange(this, request, response).start());
    // Node types the socket as a stream that may be anything; here it is what `connection` brought.
    server.on("upgrade", (request, socket, first) =>
      new UpgradeExchange(this, request, socket as Socket, first).start(),
    );
    server.on("connect", (_request, socket) => {
      this.refused += 1;
      socket.on("error", () => socket.destroy());
      socket.end("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
  }

  override serve(config: Entrance, routes: EntranceRoutes): void {
    if (config.backend?.instance !== this.config.backend?.instance) this.#isHttpSeen = false;
    super.serve(config, routes);
  }

  close(): void {
    this.isClosing = true;
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  protected open(): number {
    return this.#sockets.size;
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    switch (this.config.protocol) {
      case "http":
        this.#serveHttp(socket);
        return;
      case "tcp":
        socket.pause();
        passTcp(this, socket);
        return;
      default:
        this.#acceptAny(socket);
    }
  }

  #acceptAny(socket: Socket): void {
    awaitFirstBytes(socket, (protocol) => {
      const isSilent = socket.readableLength === 0;
      if (protocol === "tcp" && !(isSilent && this.#isHttpSeen)) {
        passTcp(this, socket);
        return;
      }
      if (protocol === "http") this.#isHttpSeen = true;
      this.#serveHttp(socket);
      socket.resume();
    });
  }
}

class UdpEntrance extends BaseEntrance implements OpenEntrance {
  readonly #relay: UdpRelay;

  constructor(config: Entrance, listening: ReturnType<typeof createSocket>) {
    super(config);
    this.#relay = new UdpRelay(this, listening);
  }

  close(): void {
    this.isClosing = true;
    this.#relay.close();
  }

  protected open(): number {
    return this.#relay.size;
  }
}

async function openTcp(config: Entrance): Promise<OpenEntrance> {
  const server = createServer({
    keepAliveTimeout: clientIdleMs,
    headersTimeout: headersTimeoutMs,
    // Uploads may take as long as they take.
    requestTimeout: 0,
    maxHeaderSize: largestHeadBytes,
    noDelay: true,
    shouldUpgradeCallback: isUpgrade,
  });
  // By default headers over 2,000 would be dropped without a word; their size is limited anyway.
  server.maxHeadersCount = 0;
  const entrance = new TcpEntrance(config, server);
  await tryAddresses(config.address, (host) => listen(server, { host, port: config.port, backlog }));
  server.on("error", (error) => log(`${config.address}:${config.port}:`, error));
  return entrance;
}

/** An upgrade to HTTP/2 may be ignored (RFC 9113, 3.1), and is: requests with such an offer, and those with a body, are ordinary ones. */
function isUpgrade(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers.upgrade?.toLowerCase() !== "h2c" &&
    headers["transfer-encoding"] === undefined &&
    Number(headers["content-length"] ?? 0) === 0
  );
}

function listen(server: Server, options: { host: string; port: number; backlog: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function openUdp(config: Entrance): Promise<OpenEntrance> {
  return tryAddresses(config.address, async (host) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(config.port, host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    socket.on("error", (error) => log(`${config.address}:${config.port}/udp:`, error));
    return new UdpEntrance(config, socket);
  });
}

/** `*` is `::`, which takes IPv4 too, or `0.0.0.0` where the machine has no IPv6. */
async function tryAddresses<T>(address: string, open: (host: string) => Promise<T>): Promise<T> {
  if (address !== "*") return open(address);
  try {
    return await open("::");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL" && code !== "EINVAL") throw error;
    return open("0.0.0.0");
  }
}
