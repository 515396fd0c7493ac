// The stateless TCP service under load: answers each line with the line and VERSION, keeps no connection from ending, and cuts all of them at SIGTERM.
import { createServer, type Socket } from "node:net";

const version = process.env["VERSION"] ?? "";
const open = new Set<Socket>();

const server = createServer((socket) => {
  open.add(socket);
  let held = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) socket.write(`${line} ${version}\n`);
  });
  socket.on("error", () => socket.destroy());
  socket.once("close", () => open.delete(socket));
});
setTimeout(() => server.listen(Number(process.env["PORT"])), Number(process.env["START_MS"]));
process.on("SIGTERM", () => {
  server.close();
  for (const socket of open) socket.destroy();
  setTimeout(() => process.exit(0), Number(process.env["END_MS"]));
});
