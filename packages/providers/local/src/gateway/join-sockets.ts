import type { Socket } from "node:net";

/**
 * Passes bytes both ways, with back-pressure and half-close, until both sides are closed; an error of one side closes the
 * other. `ended` is called once.
 */
export function joinSockets(client: Socket, replica: Socket, ended: () => void): void {
  let open = 2;
  const fail = (): void => {
    client.destroy();
    replica.destroy();
  };
  for (const [socket, other] of [
    [client, replica],
    [replica, client],
  ] as const) {
    socket.on("error", fail);
    socket.once("close", () => {
      // Closed before its peer could finish: the rest would go nowhere.
      if (!socket.readableEnded || !socket.writableFinished) other.destroy();
      open -= 1;
      if (open === 0) ended();
    });
    socket.pipe(other);
  }
}
