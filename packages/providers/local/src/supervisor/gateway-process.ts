import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { gatewayClient } from "../gateway/client.ts";
import { runningGateway, startGateway } from "../gateway/start.ts";
import { isAlive } from "../process/identity.ts";
import type { ProcessIdentity } from "./records.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { pause } from "./timing.ts";
import { log } from "../process/log.ts";

/** How often a gateway is looked at that an earlier supervisor started. */
const pollMs = 100;

/** How long requests in flight have when the gateway is stopped. */
const shutdownMs = 1000;

/** The gateway of a data folder: started at the first table, and again at once when it dies; it serves `routes.json` by itself then. */
export function gatewayLink(dir: string, version: string): GatewayLink {
  const client = gatewayClient({ dir });
  let starting: Promise<void> | undefined;
  const watching = new AbortController();
  let isStopped = false;

  const watch = async (process: ProcessIdentity, exited: Promise<void> | undefined): Promise<void> => {
    const stopped = watching.signal;
    if (exited !== undefined) await exited;
    while (isAlive(process) && !stopped.aborted) await pause(pollMs, stopped);
    if (stopped.aborted) return;
    log(`gateway ${process.pid} ended; starting it again`);
    starting = undefined;
    for (let delayMs = 50; !stopped.aborted; delayMs = Math.min(delayMs * 2, 5000)) {
      try {
        return await ensure();
      } catch (error) {
        log("the gateway does not start:", error);
        await pause(delayMs, stopped);
      }
    }
  };
  const start = async (): Promise<void> => {
    const { exited, ...process } = await startGateway({ dir, version });
    void watch(process, exited);
  };
  const ensure = (): Promise<void> => {
    starting ??= start().catch((error: unknown) => {
      starting = undefined;
      throw error;
    });
    return starting;
  };

  return {
    warmUp() {
      if (!isStopped) void ensure().catch((error: unknown) => log("the gateway does not start:", error));
    },
    async apply(table) {
      // Else what ends while everything is stopped would start it again. Whoever stops it leaves.
      if (isStopped) throw new CtrlPlaneError("UNAVAILABLE", "the gateway is being stopped", { retryable: true });
      await ensure();
      await client.apply(table);
    },
    async drain(replicaId, timeoutMs, signal) {
      if (runningGateway(dir) !== undefined) await client.drain(replicaId, timeoutMs, { signal });
    },
    isRunning: async () => runningGateway(dir) !== undefined,
    process: () => runningGateway(dir),
    async stop() {
      isStopped = true;
      watching.abort();
      // One that is just being started is stopped as well; why it did not start was told already.
      await starting?.catch(() => undefined);
      const process = runningGateway(dir);
      if (process === undefined) return;
      await client.shutdown({ timeoutMs: shutdownMs });
      while (isAlive(process)) await pause(10);
    },
    release: () => watching.abort(),
  };
}
