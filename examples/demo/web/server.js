// The page: says its version, and asks the api how many visits there were.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const version = readFileSync(new URL("version.txt", import.meta.url), "utf8").trim();

const server = createServer(async (request, response) => {
  if (request.url === "/up") return response.end("ok\n");
  try {
    const answer = await fetch(`${process.env.API}/visits`, { method: "POST" });
    if (!answer.ok) throw new Error(`the api answered ${answer.status}`);
    const { visits } = await answer.json();
    response.end(`version ${version}, visit ${visits}\n`);
  } catch (error) {
    console.error(error);
    response.writeHead(502).end("the api does not answer\n");
  }
});
server.listen(process.env.PORT, () => console.log(`version ${version} listens on ${process.env.PORT}`));
process.on("SIGTERM", () => server.close());
