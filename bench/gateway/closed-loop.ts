// The client for machines without wrk: `closed-loop.ts <port> <connections> <ms>` keeps that many connections busy, each with
// one request at a time, and prints { requestsPerSecond, p99Ms } as JSON.
import { connect } from "node:net";
import { quantile } from "../../test/load/load-report.ts";

const [port = 0, connections = 0, durationMs = 0] = process.argv.slice(2).map(Number);
const request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const latencies: number[] = [];
const startedAt = performance.now();
const endAt = startedAt + durationMs;

await Promise.all(Array.from({ length: connections }, keepBusy));
const elapsedMs = performance.now() - startedAt;
const p99Ms = quantile(
  latencies.toSorted((left, right) => left - right),
  0.99,
);
process.stdout.write(JSON.stringify({ requestsPerSecond: (latencies.length * 1000) / elapsedMs, p99Ms }));

function keepBusy(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentAt = 0;
    let wanted = -1;
    let held = "";
    const send = (): void => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.once("connect", send);
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.on("data", (chunk) => {
      held += chunk.toString("latin1");
      const head = held.indexOf("\r\n\r\n");
      if (head < 0) return;
      wanted = head + 4 + Number(/content-length: (\d+)/i.exec(held)?.[1] ?? "0");
      if (held.length < wanted) return;
      held = held.slice(wanted);
      const now = performance.now();
      latencies.push(now - sentAt);
      if (now < endAt) send();
      else socket.destroy();
    });
  });
}
