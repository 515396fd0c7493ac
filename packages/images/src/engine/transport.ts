import type { Agent as HttpAgent, AgentOptions } from "node:http";
import type { Duplex } from "node:stream";
import type { Endpoint } from "./endpoint.ts";
import { Agent, TlsAgent } from "./node-http.ts";
import { reachFromHere, type NetworkAddress } from "./reach.ts";
import { openSshTransport } from "./ssh/transport.ts";

/** How requests reach an engine: what `http.request` takes besides the request itself. */
export interface Transport {
  readonly agent: HttpAgent;
  /** Requests that `agent` sends at a time; further ones wait. It may grow. */
  readonly atOnce: number;
  /** For requests that last (see `isLasting`), or send for long: they keep no other one waiting. */
  readonly lasting: HttpAgent;
  /** Added to each request's options. */
  readonly target: Readonly<Record<string, unknown>>;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** See `EngineClient`. */
  readonly reach?: (address: NetworkAddress, signal: AbortSignal) => Promise<Duplex>;
  /** Ends what it holds open. */
  close(): Promise<void>;
}

/** Requests at a time; further ones wait. */
const maxSockets = 32;

export function openTransport(endpoint: Endpoint): Transport {
  if (endpoint.kind === "ssh") return openSshTransport(endpoint);
  const options: AgentOptions = { keepAlive: true, maxSockets, scheduling: "lifo" };
  const unbounded = { ...options, maxSockets: Infinity };
  if (endpoint.kind === "socket") {
    const transport = closing(new Agent(options), new Agent(unbounded), { socketPath: endpoint.path });
    // Elsewhere containers live in a virtual machine.
    return process.platform === "linux" ? { ...transport, reach: reachFromHere } : transport;
  }
  const { host, port, tls } = endpoint;
  if (tls === undefined) return closing(new Agent(options), new Agent(unbounded), { host, port });
  const { verify = true, ...pem } = tls;
  const checked = { ...pem, rejectUnauthorized: verify };
  const agentOf = (each: AgentOptions): HttpAgent => new TlsAgent({ ...each, ...checked });
  return closing(agentOf(options), agentOf(unbounded), { host, port });
}

function closing(agent: HttpAgent, lasting: HttpAgent, target: Transport["target"]): Transport {
  return {
    agent,
    atOnce: maxSockets,
    lasting,
    target,
    // On a network it is that of the address: the certificate is checked against it.
    headers: "socketPath" in target ? { Host: "docker" } : {},
    close: () => {
      agent.destroy();
      lasting.destroy();
      return Promise.resolve();
    },
  };
}
