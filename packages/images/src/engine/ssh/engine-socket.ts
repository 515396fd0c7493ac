import type { SshEndpoint } from "../endpoint.ts";
import { contextArguments, socketArguments } from "./arguments.ts";
import type { Channel } from "./channel.ts";
import { engineAnswers } from "./greeting.ts";
import type { Master } from "./master.ts";
import { runSsh } from "./run-ssh.ts";
import { socketChannel } from "./socket-channel.ts";

/** A path that `ssh` reads as nothing else. */
const named = /^unix:\/\/(\/[\w./-]+)\s*$/m;
/** Requests wait for what comes of this; where the host takes longer, processes serve them. */
const patienceMs = 10_000;

/**
 * Path on this machine that leads to the engine's socket on the host, the one that `docker` there would use. Connections by it need neither a session of sshd's
 * nor a process on the host. Undefined where there is no such way: with `sudo`, where the user may not use the socket, where sshd forbids to
 * forward it, or where `docker` on the host uses something else. Throws where that is not known in time, or the signal's reason.
 */
export async function forwardEngineSocket(
  endpoint: SshEndpoint,
  { control }: Pick<Master, "control">,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (endpoint.sudo) return undefined;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const context = await runSsh(contextArguments(endpoint, control), inTime, { asksOutput: true });
  const socket = named.exec(context.output)?.[1];
  if (context.code !== 0 || socket === undefined) return undefined;
  const path = `${control}.engine`;
  const { code } = await runSsh(socketArguments(endpoint, control, { path, socket }), inTime);
  if (code !== 0) return undefined;
  const channel = await openSocketChannel(endpoint, path, inTime);
  await channel?.end();
  return channel === undefined ? undefined : path;
}

/**
 * A channel by the engine's socket, forwarded to `path`; open once the engine has answered a first question. Undefined where it ends before: `ssh`
 * takes a connection, and tells only by its end that the other side does not. Throws as `engineAnswers` does.
 */
export async function openSocketChannel(
  endpoint: SshEndpoint,
  path: string,
  signal: AbortSignal,
): Promise<Channel | undefined> {
  const channel = socketChannel(path);
  return (await engineAnswers(endpoint, channel, signal)) ? channel : undefined;
}
