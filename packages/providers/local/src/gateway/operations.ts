import type { Operation } from "../protocol/index.ts";
import type { Gateway } from "./gateway.ts";
import type { RouteTable } from "./routes.ts";

/** What the gateway answers on its socket; `GatewayClient` is the other end. */
export function gatewayOperations(gateway: Gateway, end: () => void): Readonly<Record<string, Operation>> {
  return {
    apply: (body) => gateway.apply(tableOf(body)),
    drain: (body, { signal }) => {
      const { replicaId, timeoutMs } = drainOf(body);
      return gateway.drain(replicaId, timeoutMs, signal);
    },
    stats: async () => gateway.stats(),
    traffic: async (body) => ({ counts: gateway.traffic((body as { readonly instance: string }).instance) }),
    shutdown: async (body) => {
      await gateway.close(drainOf(body).timeoutMs);
      // After the answer is out.
      setTimeout(end, 10);
    },
  };
}

/** Only this package's client can open the socket, so its shape is not looked at again; `apply` checks what it says. */
function tableOf(body: unknown): RouteTable {
  return body as RouteTable;
}

function drainOf(body: unknown): { readonly replicaId: string; readonly timeoutMs: number } {
  return body as { readonly replicaId: string; readonly timeoutMs: number };
}
