import { buffer } from "node:stream/consumers";
import type { SshEndpoint } from "../endpoint.ts";
import type { Channel } from "./channel.ts";
import { dialFailure } from "./failures.ts";
import { engineAnswers } from "./greeting.ts";
import { session, type Multiplexer } from "./multiplexer.ts";

/** `full`: the host allows no further session on this connection. `gone`: the connection does not stand any more. */
export type SessionOutcome = Channel | "full" | "gone";

/** What runs on the host is a constant. */
const dial = { plain: "docker system dial-stdio", sudo: "env LC_ALL=C sudo -n docker system dial-stdio" };
const context = "docker context inspect --format '{{.Endpoints.docker.Host}}'";

/** As it is said by a shell that finds no such command. */
const notFound = 127;

/**
 * A channel to the engine by a `docker` process on the host, as the docker CLI makes it; open once the engine itself has answered a first question: what goes
 * wrong on the way is told before any request was sent. Throws for what ended on the host.
 */
export async function openEngineSession(
  endpoint: SshEndpoint,
  connection: Multiplexer,
  signal: AbortSignal,
): Promise<SessionOutcome> {
  const channel = await connection.open(session, signal);
  if (channel === "gone") return channel;
  if ("reason" in channel) return "full";
  channel.exec(endpoint.sudo ? dial.sudo : dial.plain);
  if (await engineAnswers(endpoint, channel, signal)) return channel;
  if (connection.isGone) return "gone";
  const said = channel.said();
  throw dialFailure(endpoint, channel.exitCode === notFound ? `docker: not found\n${said}` : said);
}

/** Which engine `docker` on the host would use, as it says it; undefined where it says nothing. Rejects with the signal's reason. */
export async function askEngineHost(connection: Multiplexer, signal: AbortSignal): Promise<string | undefined> {
  const channel = await connection.open(session, signal);
  if (channel === "gone" || "reason" in channel) return undefined;
  channel.exec(context);
  channel.input.end();
  const giveUp = (): void => void channel.end();
  signal.addEventListener("abort", giveUp);
  try {
    const heard = await buffer(channel.output);
    return (await channel.ended) ? heard.toString("utf8").trim() : undefined;
  } finally {
    signal.removeEventListener("abort", giveUp);
    signal.throwIfAborted();
  }
}
