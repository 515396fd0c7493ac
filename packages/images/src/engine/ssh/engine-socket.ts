import type { SshEndpoint } from "../endpoint.ts";
import type { Channel } from "./channel.ts";
import { engineAnswers } from "./greeting.ts";
import { askEngineHost } from "./host-command.ts";
import { toSocket, type Multiplexer } from "./multiplexer.ts";

const named = /^unix:\/\/(\/.+)$/m;
/** Requests wait for what comes of this; where the host takes longer, processes serve them. */
const patienceMs = 10_000;

/**
 * Path of the engine's socket on the host, the one that `docker` there would use. Channels to it need neither a session of sshd's nor a process on the
 * host. Undefined where there is no such way: with `sudo`, where the user may not use the socket, where sshd forbids to forward it, or where `docker` on
 * the host uses something else. Throws where that is not known in time, or the signal's reason.
 */
export async function findEngineSocket(
  endpoint: SshEndpoint,
  connection: Multiplexer,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (endpoint.sudo) return undefined;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const path = named.exec((await askEngineHost(connection, inTime)) ?? "")?.[1];
  if (path === undefined) return undefined;
  const channel = await openSocketChannel(endpoint, connection, path, inTime);
  await channel?.end();
  return channel === undefined ? undefined : path;
}

/**
 * A channel to the engine's socket on the host; open once the engine has answered a first question. Undefined where it is not taken, or ends before. Throws as
 * `engineAnswers` does.
 */
export async function openSocketChannel(
  endpoint: SshEndpoint,
  connection: Multiplexer,
  path: string,
  signal: AbortSignal,
): Promise<Channel | undefined> {
  const channel = await connection.open(toSocket(path), signal);
  if (channel === "gone" || "reason" in channel) return undefined;
  return (await engineAnswers(endpoint, channel, signal)) ? channel : undefined;
}
