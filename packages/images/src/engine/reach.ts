import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { isPort } from "./endpoint.ts";

/** Of what listens in a network: of a container, say. */
export interface NetworkAddress {
  /** IPv4 or IPv6, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Throws INVALID for what is no address: it meets a command line. */
export function requireAddress({ host, port }: NetworkAddress): void {
  // A zone would let anything follow the `%`.
  if (isIP(host) !== 0 && !host.includes("%") && isPort(port)) return;
  throw new CtrlPlaneError("INVALID", `${host}:${port} is no address of a network`, { target: host });
}

/** A connection from this machine. Throws what the system says (`ECONNREFUSED`, …), or the signal's reason. */
export function reachFromHere({ host, port }: NetworkAddress, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host, port });
    const abort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener("abort", abort);
    socket.once("error", reject);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("close", () => signal.removeEventListener("abort", abort));
  });
}
