import type { Agent as HttpAgent, AgentOptions } from "node:http";
import type { SshEndpoint } from "../endpoint.ts";
import { Agent } from "../node-http.ts";
import type { Transport } from "../transport.ts";
import type { Channel } from "./channel.ts";
import { channelStream } from "./channel-stream.ts";
import { sshConnections } from "./connections.ts";
import { brokenChannel } from "./failures.ts";

/** Below the four sessions that a strict sshd allows on a connection; a further one is left to a call that lasts. */
const processes = 3;
/** Of those whose number costs little: by the engine's socket, where that is forwarded. */
const sockets = 32;
/** Each may be a `docker` process on the host. */
const lastingChannels = 64;

/** Requests over channels of one SSH connection, which stay open for the next ones. */
export function openSshTransport(endpoint: SshEndpoint): Transport {
  const connections = sshConnections(endpoint);
  const agentOf = (
    { maxSockets, maxFreeSockets }: Required<Pick<AgentOptions, "maxSockets" | "maxFreeSockets">>,
    open: (signal: AbortSignal) => Promise<Channel>,
  ): HttpAgent => {
    const agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets, scheduling: "lifo" });
    agent.createConnection = () => channelStream(open, (channel) => brokenChannel(endpoint, channel.said()));
    return agent;
  };
  const lasts = { maxSockets: lastingChannels, maxFreeSockets: processes };
  const agent = agentOf({ maxSockets: processes, maxFreeSockets: sockets }, (signal) =>
    connections.openChannel(signal),
  );
  const lasting = agentOf(lasts, (signal) => connections.openChannel(signal));
  // The two directions of a process end apart: what the engine says before it took everything is not lost.
  const sending = agentOf(lasts, (signal) => connections.openProcess(signal));
  const atOnce = (): number => (connections.isForwarded ? sockets : processes);
  return {
    get agent() {
      agent.maxSockets = atOnce();
      return agent;
    },
    get atOnce() {
      return atOnce();
    },
    lasting,
    sending,
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
      sending.destroy();
      await connections.close();
    },
  };
}
