import { connect, type Socket } from "node:net";
import { joinSockets } from "./join-sockets.ts";
import { hold, type ServingEntrance } from "./serving-entrance.ts";
import type { InstanceTraffic } from "./traffic.ts";
import type { Upstream } from "./upstream.ts";

/**
 * One connection here becomes one connection to a replica. Where no replica accepts one within a second, the client's connection
 * is reset, as it would be without a gateway. The client's socket must be paused.
 */
export function passTcp(entrance: ServingEntrance, client: Socket): void {
  const startedAt = performance.now();
  const onClientError = (): void => {
    client.destroy();
  };
  client.on("error", onClientError);
  const attempt = (tried: readonly Upstream[]): void => {
    if (client.destroyed) return;
    const balancer = entrance.routes.fallback;
    const upstream = balancer?.choose(tried);
    if (upstream !== undefined && balancer !== undefined)
      reach(upstream, client, balancer.traffic, () => attempt([...tried, upstream]));
    else if (balancer === undefined || hold(startedAt, () => attempt([])) === undefined) {
      entrance.refused += 1;
      client.resetAndDestroy();
    }
  };
  attempt([]);
}

function reach(upstream: Upstream, client: Socket, traffic: InstanceTraffic, refused: () => void): void {
  const replica = connect({ host: upstream.host, port: upstream.port, noDelay: true, allowHalfOpen: true });
  const work = {
    cut: () => {
      traffic.closedAtDrain += 1;
      client.destroy();
      replica.destroy();
    },
  };
  const onClientGone = (): void => {
    replica.destroy();
  };
  const onRefused = (): void => {
    upstream.failures += 1;
    client.off("close", onClientGone);
    refused();
  };
  upstream.began(work);
  client.once("close", onClientGone);
  replica.once("error", onRefused);
  replica.once("close", () => upstream.ended(work));
  replica.once("connect", () => {
    replica.off("error", onRefused);
    client.off("close", onClientGone);
    joinSockets(client, replica, () => upstream.ended(work));
  });
}
