import { Agent, type AgentOptions } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { Endpoint } from "./endpoint.ts";

/** How requests reach an engine: what `http.request` takes besides the request itself. */
export interface Transport {
  readonly agent: Agent;
  /** Added to each request's options. */
  readonly target: Readonly<Record<string, unknown>>;
  /** Ends what it holds open. */
  close(): Promise<void>;
}

/** Requests at a time; further ones wait. What stays open (events, followed logs) counts too. */
const maxSockets = 32;

export function openTransport(endpoint: Endpoint): Transport {
  const options: AgentOptions = { keepAlive: true, maxSockets, scheduling: "lifo" };
  if (endpoint.kind === "socket") {
    return closing(new Agent(options), { socketPath: endpoint.path });
  }
  const { host, port, tls } = endpoint;
  if (tls === undefined) return closing(new Agent(options), { host, port });
  const { verify = true, ...pem } = tls;
  return closing(new TlsAgent({ ...options, ...pem, rejectUnauthorized: verify }), { host, port });
}

function closing(agent: Agent, target: Transport["target"]): Transport {
  return {
    agent,
    target,
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}
