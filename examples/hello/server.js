import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.end(request.url === "/up" ? "ok\n" : `${process.env.GREETING} from ${process.pid}\n`);
});
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close());
