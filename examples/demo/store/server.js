// Keeps lines in a file of its volume; POST /lines appends the body and answers how many there are.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const file = "data/lines";
let lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;

const server = createServer(async (request, response) => {
  if (request.url === "/up") return response.end("ok\n");
  if (request.method !== "POST" || request.url !== "/lines") return response.writeHead(404).end();
  appendFileSync(file, `${(await text(request)).replaceAll("\n", " ")}\n`);
  lines += 1;
  response.setHeader("content-type", "application/json").end(JSON.stringify({ lines }));
});
server.listen(process.env.PORT, () => console.log(`${lines} lines in ${file}, listens on ${process.env.PORT}`));
process.on("SIGTERM", () => server.close());
