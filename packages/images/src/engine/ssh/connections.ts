import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { describeEndpoint, isHostKey, isHostName, isPort, isUserName, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import type { Channel } from "./channel.ts";
import { findEngineSocket, openSocketChannel } from "./engine-socket.ts";
import { brokenChannel, forwardFailure } from "./failures.ts";
import { openEngineSession } from "./host-command.ts";
import { openMaster, type Master } from "./master.ts";
import { makePrivateFolder, removePrivateFolder } from "./private-folder.ts";
import { toAddress } from "./multiplexer.ts";

/** The connections to one host: one, unless its sshd allows fewer sessions on it than there are channels. */
export interface SshConnections {
  /**
   * A channel to the engine: by its socket where the user may use that, else by a process on the host. Connects where no connection has room; a failure is
   * remembered for a while, so that a host that is down is not asked by each of many.
   */
  openChannel(signal: AbortSignal): Promise<Channel>;
  /** Whether channels go by the engine's socket, as far as it is known. */
  readonly usesSocket: boolean;
  /** A connection from the host to an address in its networks; it takes no session. Throws `forwardFailure`, or the signal's reason. */
  openForward(address: NetworkAddress, signal: AbortSignal): Promise<Channel>;
  /** Ends all channels, all connections, and removes what is left on the disk. */
  close(): Promise<void>;
}

interface Held {
  readonly master: Master;
  /** Those that are open. */
  readonly channels: Set<Channel>;
  /** Path of the engine's socket on the host, where it can be used. */
  finding: Promise<string | undefined>;
  /** What came of `finding`. */
  engineSocket?: string;
  /** Sessions that are being opened. */
  opening: number;
  /** A session was opened once. */
  hasServed: boolean;
  /** No engine answered by the last session. */
  hasFailed: boolean;
  /** No further session was allowed, and none has ended since. */
  isFull: boolean;
}

const longestPauseMs = 30_000;
/** A connection may break between two calls; that it breaks whenever a channel is opened is an error. */
const reconnects = 2;
/** Then another connection takes what is new: see `Multiplexer`. */
const mostRefusals = 4_000;

/** Does no I/O yet. Throws INVALID for an endpoint with a value that `ssh` could take for something else. */
export function sshConnections(endpoint: SshEndpoint): SshConnections {
  requireSafe(endpoint);
  const closing = new AbortController();
  const held = new Set<Held>();
  // Also those that take nothing new.
  const standing = new Set<Held>();
  let folder: Promise<string> | undefined;
  let connecting: Promise<Held> | undefined;
  let failure: { error: CtrlPlaneError; times: number; until: number } | undefined;
  let number = 0;

  const find = (one: Held): void => {
    // Where it cannot be used, processes serve; what is wrong with the engine, they tell.
    one.finding = findEngineSocket(endpoint, one.master, closing.signal).catch(() => undefined);
    void one.finding.then((path) => void (path !== undefined && (one.engineSocket = path)));
  };
  const connect = async (): Promise<Held> => {
    const now = performance.now();
    if (failure !== undefined && now < failure.until) throw remembered(failure.error, failure.until - now);
    try {
      folder ??= makePrivateFolder();
      const master = await openMaster(endpoint, await folder, (number += 1), closing.signal);
      const none = Promise.resolve(undefined);
      const flags = { hasServed: false, hasFailed: false, isFull: false };
      const one: Held = { master, channels: new Set(), finding: none, opening: 0, ...flags };
      find(one);
      held.add(one);
      standing.add(one);
      void master.gone.then(() => {
        held.delete(one);
        standing.delete(one);
      });
      failure = undefined;
      return one;
    } catch (error) {
      if (isCtrlPlaneError(error)) {
        const times = (failure?.times ?? 0) + 1;
        const pauseMs = Math.min(1000 * 2 ** (times - 1), longestPauseMs);
        failure = { error, times, until: performance.now() + pauseMs };
      }
      throw error;
    }
  };
  const withRoom = async (): Promise<Held> => {
    for (const each of held) if (!each.isFull) return each;
    connecting ??= connect().finally(() => (connecting = undefined));
    return connecting;
  };
  const track = (one: Held, channel: Channel): Channel => {
    one.channels.add(channel);
    void channel.ended.then(() => {
      one.channels.delete(channel);
      endUnused(one);
    });
    return channel;
  };
  const endUnused = (one: Held): void => {
    if (!held.has(one) && one.channels.size === 0) void one.master.end();
  };
  const serves = (one: Held, channel: Channel): Channel => {
    // An engine that was down when it was looked for.
    if (one.hasFailed && one.engineSocket === undefined) find(one);
    Object.assign(one, { hasServed: true, hasFailed: false });
    void channel.ended.then(() => (one.isFull = false));
    return track(one, channel);
  };
  const openSession = async (signal: AbortSignal): Promise<Channel> => {
    for (let lost = 0; lost <= reconnects;) {
      const one = await unlessAborted(withRoom(), signal);
      one.opening += 1;
      const opened = openEngineSession(endpoint, one.master, signal);
      void opened.catch(() => (one.hasFailed = true));
      const outcome = await opened.finally(() => (one.opening -= 1));
      if (outcome === "full") {
        if (!one.hasServed && one.opening === 0) throw noSessions(endpoint);
        one.isFull = true;
      } else if (outcome === "gone") {
        held.delete(one);
        lost += 1;
      } else {
        return serves(one, outcome);
      }
    }
    throw brokenChannel(endpoint, "it ends whenever a channel is opened");
  };

  return {
    get usesSocket() {
      return [...held].some((each) => each.engineSocket !== undefined);
    },
    async openChannel(signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      if (held.size === 0) await unlessAborted(withRoom(), either);
      for (const one of held) {
        // Each process costs the host more than this waiting.
        const path = await unlessAborted(one.finding, either);
        if (path === undefined) continue;
        const channel = await openSocketChannel(endpoint, one.master, path, either);
        if (channel !== undefined) return track(one, channel);
      }
      return openSession(either);
    },
    async openForward(address, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      for (let lost = 0; lost <= reconnects; lost += 1) {
        const [first] = held;
        const one = first ?? (await unlessAborted(withRoom(), either));
        const outcome = await one.master.open(toAddress(address), either);
        if (outcome === "gone" || one.master.refusals > mostRefusals) held.delete(one);
        if (outcome === "gone") continue;
        if (!("reason" in outcome)) return track(one, outcome);
        endUnused(one);
        throw forwardFailure(describeEndpoint(endpoint), address, outcome);
      }
      throw brokenChannel(endpoint, "it ends whenever a channel is opened");
    },
    async close() {
      closing.abort(new CtrlPlaneError("CANCELLED", `the connection to ${describeEndpoint(endpoint)} was closed`));
      await connecting?.catch(() => undefined);
      const all = [...standing];
      await Promise.all(all.map((each) => each.finding));
      await Promise.all(all.flatMap((each) => [...each.channels]).map((each) => each.end()));
      await Promise.all(all.map((each) => each.master.end()));
      if (folder !== undefined) await removePrivateFolder(await folder);
    },
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function remembered(error: CtrlPlaneError, retryAfterMs: number): CtrlPlaneError {
  const { target, hint, retryable } = error;
  return new CtrlPlaneError(error.code, error.message, {
    ...(target === undefined ? {} : { target }),
    ...(hint === undefined ? {} : { hint }),
    retryable,
    retryAfterMs: Math.ceil(retryAfterMs),
    cause: error,
  });
}

function noSessions(endpoint: SshEndpoint): CtrlPlaneError {
  const subject = describeEndpoint(endpoint);
  return new CtrlPlaneError("FORBIDDEN", `${subject}: the host's sshd allows no session`, {
    target: subject,
    hint: "Set `MaxSessions` to 4 or more in its sshd_config.",
  });
}

/** Values meet a command line, and patterns that a configuration of `ssh` may hand to a shell. */
function requireSafe(endpoint: SshEndpoint): void {
  const { host, user, port, hostKey } = endpoint;
  const wrong =
    (!isHostName(host) && "host") ||
    (user !== undefined && !isUserName(user) && "user") ||
    (port !== undefined && !isPort(port) && "port") ||
    (hostKey !== undefined && !isHostKey(hostKey) && "hostKey");
  if (wrong === false) return;
  throw new CtrlPlaneError("INVALID", `\`${wrong}\` of an SSH endpoint is not one`, { target: wrong });
}
