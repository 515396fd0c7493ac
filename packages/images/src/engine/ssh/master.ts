import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { exitArguments, masterArguments } from "./arguments.ts";
import { writeCredentials } from "./credentials.ts";
import { brokenChannel, connectFailure, isThrottled, isUnknownHostKey } from "./failures.ts";
import { unknownHostKey } from "./host-key.ts";
import { runSsh } from "./run-ssh.ts";

/** One connection to a host, held by an `ssh` in the background; channels go over its control socket. */
export interface Master {
  readonly control: string;
  /** What it said since it stands; `""` where it is gone. */
  log(): Promise<string>;
  /** Settles when the connection is gone, whatever ended it. */
  readonly gone: Promise<void>;
  /** Ends it and all channels over it. */
  end(): Promise<void>;
}

/** Of an sshd that drops every second connection (`MaxStartups`), one in ten thousand waits for longer. */
const patienceMs = 20_000;
const pauses = { firstMs: 200, longestMs: 2_000 };

/**
 * Connects. An sshd that is too busy to talk is asked again, at growing intervals, for some twenty seconds. `folder` is private;
 * `number` has never been used in it. Throws what the user can act upon.
 */
export async function openMaster(
  endpoint: SshEndpoint,
  folder: string,
  number: number,
  signal: AbortSignal,
): Promise<Master> {
  const control = join(folder, `c${number}`);
  const log = `${control}.log`;
  const credentials = await writeCredentials(endpoint, folder);
  try {
    const args = masterArguments(endpoint, { control, log, key: credentials.key, knownHosts: credentials.knownHosts });
    const until = performance.now() + patienceMs;
    for (let pauseMs = pauses.firstMs; ; pauseMs = Math.min(pauses.longestMs, pauseMs * 2)) {
      const { code, said: aloud } = await runSsh(args, signal);
      if (code === 0) return await hold(endpoint, control, log);
      const said = `${aloud}\n${await readLog(log)}`;
      await rm(log, { force: true });
      if (isUnknownHostKey(said)) throw await unknownHostKey(endpoint, folder);
      if (!isThrottled(said) || performance.now() >= until) throw connectFailure(endpoint, said);
      // Others that were dropped at the same moment wait for another time.
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
    }
  } finally {
    await credentials.forget();
  }
}

/** A second hand on the control socket: it is let go at the moment when the master ends, and keeps it from nothing. */
async function hold(endpoint: SshEndpoint, control: string, log: string): Promise<Master> {
  const watch = connectSocket(control);
  try {
    await once(watch, "connect");
  } catch (cause) {
    throw brokenChannel(endpoint, `${describeEndpoint(endpoint)} was cut at once (${String(cause)})`);
  }
  watch.unref();
  const gone = closed(watch);
  return {
    control,
    log: () => readLog(log),
    gone,
    async end() {
      if (watch.closed) return;
      watch.ref();
      await runSsh(exitArguments(endpoint, control));
      await gone;
    },
  };
}

function readLog(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    // It said nothing yet, or its folder is gone already.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // What is read is the greeting of the protocol; an error comes before `close`.
    socket.on("error", () => undefined);
    socket.once("close", () => resolve());
    socket.resume();
  });
}
