import { once } from "node:events";
import { createServer } from "node:net";

/** The latest that were given, oldest first: so many that none of them is still in use when it is given again. */
const given = new Set<number>();
const mostGiven = 10_000;

/** A port that nobody listens on, below those that systems give to clients, and that was not given lately in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port)) continue;
    // Before it is looked at: another one may ask meanwhile.
    given.add(port);
    const [oldest] = given;
    if (given.size > mostGiven && oldest !== undefined) given.delete(oldest);
    if (await isFree(port)) return port;
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
