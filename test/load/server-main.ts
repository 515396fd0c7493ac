// The service under load: what a replica runs. VERSION is what it answers; it listens after START_MS and ends END_MS after SIGTERM, which cuts at once whatever is in flight, so that nothing but
// draining saves it.
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { echoWebSocket } from "../../packages/providers/local/src/gateway/echo-web-socket.test.support.ts";

const version = process.env["VERSION"] ?? "";
const answerMs = 20;
const upgraded = new Set<Duplex>();

const server = createServer((request, response) => {
  const ms = Number(new URL(request.url ?? "/", "http://replica").searchParams.get("stream") ?? 0);
  if (ms > 0) {
    const endAt = performance.now() + ms;
    const timer = setInterval(() => {
      response.write(`${version}\n`);
      if (performance.now() < endAt) return;
      clearInterval(timer);
      response.end("end\n");
    }, 100);
    response.once("close", () => clearInterval(timer));
    return;
  }
  request.resume();
  request.once("end", () => setTimeout(() => response.end(version), answerMs));
});
server.on("upgrade", (request, socket) => {
  upgraded.add(socket);
  socket.once("close", () => upgraded.delete(socket));
  echoWebSocket(request, socket);
});
setTimeout(() => server.listen(Number(process.env["PORT"])), Number(process.env["START_MS"]));
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  for (const socket of upgraded) socket.destroy();
  setTimeout(() => process.exit(0), Number(process.env["END_MS"]));
});
