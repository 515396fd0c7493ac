import { once } from "node:events";
import { createServer } from "node:net";

const given = new Set<number>();

/** A port that nobody listens on, below those that systems give to clients, and given once in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true)).once("error", () => resolve(false));
  });
  server.listen(port, "0.0.0.0");
  if (!(await isListening)) return false;
  server.close();
  await once(server, "close");
  return true;
}
