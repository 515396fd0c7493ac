// Counts visits: each POST /visits adds a line to the store.
import { createServer } from "node:http";

const server = createServer(async (request, response) => {
  if (request.url === "/up") return response.end("ok\n");
  if (request.method !== "POST" || request.url !== "/visits") return response.writeHead(404).end();
  try {
    const answer = await fetch(`${process.env.STORE}/lines`, { method: "POST", body: new Date().toISOString() });
    if (!answer.ok) throw new Error(`the store answered ${answer.status}`);
    const { lines } = await answer.json();
    response.setHeader("content-type", "application/json").end(JSON.stringify({ visits: lines }));
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
});
server.listen(process.env.PORT, () => console.log(`listens on ${process.env.PORT}`));
process.on("SIGTERM", () => server.close());
