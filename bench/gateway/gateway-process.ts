// A gateway with one entrance in front of the upstream at argv[2]; prints the entrance's port.
import { createServer, type AddressInfo } from "node:net";
import { Gateway } from "../../packages/providers/local/src/gateway/gateway.ts";

const target = { replicaId: "bench-1", host: "127.0.0.1", port: Number(process.argv[2]), weight: 1 };
const port = await freePort();
await new Gateway().apply({
  version: 1,
  entrances: [
    { id: "bench", address: "127.0.0.1", port, protocol: "auto", backend: { instance: "bench", targets: [target] } },
  ],
});
process.stdout.write(`${port}\n`);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on a port: the address is no path.
  const found = (server.address() as AddressInfo).port;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return found;
}
