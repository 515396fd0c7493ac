import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { connect } from "./postgres.js";

const db = await connect();

const server = createServer(async (request, response) => {
  try {
    if (request.method === "POST") {
      const [[id]] = await db.query("insert into orders (item) values ($1) returning id", [await text(request)]);
      response.writeHead(201).end(`order ${id}\n`);
      return;
    }
    const [[all, shipped]] = await db.query("select count(*), count(shipped) from orders");
    response.end(`${all} orders, ${shipped} shipped\n`);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end("the database does not answer\n");
  }
});
server.listen(3000, () => console.log("web listens on 3000"));

// Requests under way are answered first.
process.on("SIGTERM", () => server.close(() => db.end()));
