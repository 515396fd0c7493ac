import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SshEndpoint } from "../endpoint.ts";
import { exitArguments, masterArguments } from "./arguments.ts";
import { writeCredentials } from "./credentials.ts";
import { connectFailure, isThrottled, isUnknownHostKey } from "./failures.ts";
import { unknownHostKey } from "./host-key.ts";
import { openMultiplexer, type Multiplexer } from "./multiplexer.ts";
import { runSsh } from "./run-ssh.ts";

/** One connection to a host, held by an `ssh` in the background. */
export interface Master extends Multiplexer {
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
      if (code === 0) return await hold(endpoint, control);
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

async function hold(endpoint: SshEndpoint, control: string): Promise<Master> {
  const connection = await openMultiplexer(endpoint, control);
  return Object.assign(connection, {
    async end() {
      if (connection.isGone) return;
      await runSsh(exitArguments(endpoint, control));
      await connection.gone;
    },
  });
}

function readLog(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    // It said nothing yet, or its folder is gone already.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
}
