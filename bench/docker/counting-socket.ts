import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";

/** A way to an engine's socket that counts what is asked of it. */
export interface CountingSocket extends AsyncDisposable {
  readonly path: string;
  /** Requests since `reset`: method and path without version, names and query → how often. */
  counts(): ReadonlyMap<string, number>;
  reset(): void;
}

/** A request's first line; clients write it at once, at the head of what they send. */
const requestLine = /(?:^|\r\n|\})(GET|HEAD|POST|PUT|DELETE) (\/\S*) HTTP\/1\.1\r\n/g;

/** Listens at `path`, and passes everything to `engineSocket` and back as it is. `onRequest` is told each request's name before it is passed on. */
export async function countingSocket(
  engineSocket: string,
  path: string,
  onRequest: (name: string) => void = () => undefined,
): Promise<CountingSocket> {
  const counts = new Map<string, number>();
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: engineSocket, allowHalfOpen: true });
    for (const each of [client, engine]) {
      open.add(each);
      // One side is gone: so is the other.
      each.on("error", () => void (client.destroy(), engine.destroy())).on("close", () => open.delete(each));
    }
    client.on("data", (chunk: Buffer) => {
      for (const [, method = "", target = ""] of chunk.toString("latin1").matchAll(requestLine)) {
        const name = `${method} ${withoutNames(target)}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        onRequest(name);
      }
    });
    client.pipe(engine).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return {
    path,
    counts: () => counts,
    reset: () => counts.clear(),
    async [Symbol.asyncDispose]() {
      for (const each of open) each.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(path, { force: true });
    },
  };
}

/** `/v1.41/containers/3f2a…/start?t=1` is `/containers/{}/start`. */
function withoutNames(target: string): string {
  const [path = ""] = target.split("?");
  const [kind = "", ...rest] = path
    .replace(/^\/v\d+\.\d+/, "")
    .split("/")
    .slice(1);
  const words = ["create", "json", "start", "stop", "rename", "update", "wait", "archive", "kill", "prune"];
  return `/${[kind, ...rest.map((each) => (words.includes(each) ? each : "{}"))].join("/")}`;
}
