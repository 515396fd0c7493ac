import type { Agent as HttpAgent } from "node:http";
import type { SshEndpoint } from "../endpoint.ts";
import { Agent } from "../node-http.ts";
import type { Transport } from "../transport.ts";
import { channelStream } from "./channel-stream.ts";
import { sshConnections } from "./connections.ts";
import { brokenChannel } from "./failures.ts";

/** Below the four sessions that a strict sshd allows on a connection; a further one is left to a call that lasts. */
const channels = 3;
/** Each is a `docker` process on the host. */
const lastingChannels = 64;

/** Requests over channels of one SSH connection, which stay open for the next ones. */
export function openSshTransport(endpoint: SshEndpoint): Transport {
  const connections = sshConnections(endpoint);
  const agentOf = (maxSockets: number): HttpAgent => {
    const agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: channels, scheduling: "lifo" });
    agent.createConnection = () =>
      channelStream(
        (signal) => connections.openChannel(signal),
        (channel) => brokenChannel(endpoint, channel.said()),
      );
    return agent;
  };
  const agent = agentOf(channels);
  const lasting = agentOf(lastingChannels);
  return {
    agent,
    atOnce: channels,
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
