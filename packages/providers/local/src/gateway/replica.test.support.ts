import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { Gateway } from "./gateway.ts";
import type { Entrance, EntranceProtocol, RouteTable, Target } from "./routes.ts";

/** A server that stands for a replica, closed at the test's end. */
export interface TestReplica {
  readonly target: Target;
  readonly server: Server;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
}

export async function httpReplica(t: TestContext, id: string, listener: RequestListener): Promise<TestReplica> {
  const server = createServer(listener);
  return { ...(await listen(t, id, server)), server };
}

export async function tcpReplica(
  t: TestContext,
  id: string,
  accept: (socket: Socket) => void,
): Promise<Omit<TestReplica, "server">> {
  return listen(t, id, createTcpServer({ allowHalfOpen: true }, accept));
}

async function listen(
  t: TestContext,
  id: string,
  server: ReturnType<typeof createTcpServer>,
): Promise<Omit<TestReplica, "server">> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { target: targetAt(id, portOf(server)), sockets };
}

export function targetAt(replicaId: string, port: number, weight = 1): Target {
  return { replicaId, host: "127.0.0.1", port, weight };
}

export function portOf(server: ReturnType<typeof createTcpServer>): number {
  // A server on a port has no path for an address.
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** A gateway in this process with one entrance for the instance `shop-web`. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly url: string;
  /** Routes exactly these, in a table of the next version. */
  readonly route: (...targets: readonly Target[]) => Promise<void>;
}

export async function testGateway(
  t: TestContext,
  protocol: EntranceProtocol,
  ...targets: readonly Target[]
): Promise<TestGateway> {
  const gateway = new Gateway();
  const port = await freePort();
  const route = (...next: readonly Target[]): Promise<void> =>
    gateway.apply(tableOf(gateway.version + 1, entranceAt(port, protocol, next)));
  await route(...targets);
  t.after(async () => {
    await gateway.apply(tableOf(gateway.version + 1));
    for (const { replicaId } of gateway.stats().replicas)
      await gateway.drain(replicaId, 0, new AbortController().signal);
  });
  return { gateway, port, url: `http://127.0.0.1:${port}`, route };
}

export function tableOf(version: number, ...entrances: readonly Entrance[]): RouteTable {
  return { version, entrances };
}

export function entranceAt(port: number, protocol: EntranceProtocol, targets: readonly Target[]): Entrance {
  return { id: `web:${port}`, address: "127.0.0.1", port, protocol, backend: { instance: "shop-web", targets } };
}
