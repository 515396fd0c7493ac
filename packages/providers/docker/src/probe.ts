import { get } from "node:http";
import { connect } from "node:net";

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

/** Undefined where the port is open; else what was seen. */
export function probePort({ host, port }: ProbeTarget, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(timeoutMs, () => end(`port ${port} does not answer`));
    socket.once("connect", () => end(undefined));
    socket.once("error", (error) => {
      const code = "code" in error ? error.code : undefined;
      end(code === "ECONNREFUSED" ? `port ${port} is closed` : `port ${port}: ${error.message}`);
    });
  });
}

/** Undefined where `GET path` is answered with 2xx or 3xx; else what was seen. */
export function probeHttp({ host, port }: ProbeTarget, path: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = get({ host, port, path, agent: false, timeout: timeoutMs, headers: { "user-agent": "pctl" } });
    sent.once("response", ({ statusCode = 0 }) => {
      sent.destroy();
      resolve(statusCode < 400 ? undefined : `GET ${path} was answered with ${statusCode}`);
    });
    sent.once("timeout", () => {
      sent.destroy();
      resolve(`GET ${path} was not answered within ${timeoutMs} ms`);
    });
    sent.once("error", (error) => {
      const code = "code" in error ? error.code : undefined;
      resolve(code === "ECONNREFUSED" ? `port ${port} is closed` : `GET ${path}: ${error.message}`);
    });
  });
}
