import { createServer, type Server } from "node:net";
import { isErrno } from "./json-file.ts";

/**
 * Ports that this process means to give to its replicas. Supervisors of two data folders look for free ports at the same time, and a
 * port is free until its replica listens: without a claim, one's replica could be taken for the other's. The system lets go of
 * a claim when its process dies; by then the replica listens itself.
 */
export class PortClaims {
  readonly #held = new Map<number, Server>();

  get ports(): Iterable<number> {
    return this.#held.keys();
  }

  /** False where it is claimed already, by this process or by another one on this machine. */
  async claim(port: number): Promise<boolean> {
    if (this.#held.has(port)) return false;
    const server = await listenByName(`\0pctl-port-${port}`);
    if (server !== undefined) this.#held.set(port, server);
    return server !== undefined;
  }

  /** As `claim`, and true where this process has it already. */
  async hold(port: number): Promise<boolean> {
    return this.#held.has(port) || (await this.claim(port));
  }

  release(port: number): void {
    this.#held.get(port)?.close();
    this.#held.delete(port);
  }
}

/** A name without a file, which one process at a time can listen on. Undefined where another does. */
function listenByName(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (isErrno(error, "EADDRINUSE") ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
