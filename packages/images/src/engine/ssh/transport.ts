import type { Agent as HttpAgent, AgentOptions } from "node:http";
import type { SshEndpoint } from "../endpoint.ts";
import { Agent } from "../node-http.ts";
import type { Transport } from "../transport.ts";
import { channelStream } from "./channel-stream.ts";
import { sshConnections } from "./connections.ts";
import { brokenChannel } from "./failures.ts";

/** Below the four sessions that a strict sshd allows on a connection; a further one is left to a call that lasts. */
const processes = 3;
/** By the engine's socket they cost little. */
const sockets = 32;
/** Each may be a `docker` process on the host. */
const lastingChannels = 64;

/** Requests over channels of one SSH connection, which stay open for the next ones. */
export function openSshTransport(endpoint: SshEndpoint): Transport {
  const connections = sshConnections(endpoint);
  const agentOf = (sizes: Required<Pick<AgentOptions, "maxSockets" | "maxFreeSockets">>): HttpAgent => {
    const agent = new Agent({ keepAlive: true, scheduling: "lifo", ...sizes });
    agent.createConnection = () =>
      channelStream(
        (signal) => connections.openChannel(signal),
        (channel) => brokenChannel(endpoint, channel.said()),
      );
    return agent;
  };
  const agent = agentOf({ maxSockets: processes, maxFreeSockets: sockets });
  const lasting = agentOf({ maxSockets: lastingChannels, maxFreeSockets: processes });
  const atOnce = (): number => (connections.usesSocket ? sockets : processes);
  return {
    get agent() {
      agent.maxSockets = atOnce();
      return agent;
    },
    get atOnce() {
      return atOnce();
    },
    lasting,
    target: {},
    headers: { Host: "docker" },
    async reach(address, signal) {
      const channel = await connections.openForward(address, signal);
      return channelStream(
        () => Promise.resolve(channel),
        () => brokenChannel(endpoint, channel.said()),
      );
    },
    async close() {
      agent.destroy();
      lasting.destroy();
      await connections.close();
    },
  };
}
