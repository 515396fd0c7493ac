import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { describeEndpoint, isHostKey, isHostName, isPort, isUserName, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import type { Channel } from "./channel.ts";
import { forwardEngineSocket, openSocketChannel } from "./engine-socket.ts";
import { brokenChannel } from "./failures.ts";
import { openForward } from "./forward.ts";
import { openMaster, type Master } from "./master.ts";
import { makePrivateFolder, removePrivateFolder } from "./private-folder.ts";
import { openProcessChannel } from "./process-channel.ts";

/** The connections to one host: one, unless its sshd allows fewer sessions on it than there are channels. */
export interface SshConnections {
  /**
   * A channel to the engine by a process on the host. Connects where no connection has room; a failure is remembered for a while, so that a host that is
   * down is not asked by each of many.
   */
  openProcess(signal: AbortSignal): Promise<Channel>;
  /** A channel to the engine by its socket where that is forwarded, else by a process. */
  openChannel(signal: AbortSignal): Promise<Channel>;
  /** Whether channels by the engine's socket can be opened: it is forwarded where that can be done, as soon as a first process has served. */
  readonly isForwarded: boolean;
  /** A connection from the host to an address in its networks; see `openForward`. It takes no session. */
  openForward(address: NetworkAddress, signal: AbortSignal): Promise<Channel>;
  /** Ends all channels, all connections, and removes what is left on the disk. */
  close(): Promise<void>;
}

interface Held {
  readonly master: Master;
  /** Settles when it is known whether the engine's socket can be forwarded; undefined: nobody has tried. */
  forwarding?: Promise<void>;
  /** Where the engine's socket is forwarded to. */
  engineSocket?: string;
  /** Channels that are being opened. */
  opening: number;
  /** A channel was opened once. */
  hasServed: boolean;
  /** No further session was allowed, and none has ended since. */
  isFull: boolean;
}

const longestPauseMs = 30_000;
/** A connection may break between two calls; that it breaks whenever a channel is opened is an error. */
const reconnects = 2;

/** Does no I/O yet. Throws INVALID for an endpoint with a value that `ssh` could take for something else. */
export function sshConnections(endpoint: SshEndpoint): SshConnections {
  requireSafe(endpoint);
  const closing = new AbortController();
  const held = new Set<Held>();
  // Also those that carry nothing new.
  const channels = new Set<Channel>();
  const masters = new Set<Master>();
  let folder: Promise<string> | undefined;
  let connecting: Promise<Held> | undefined;
  let failure: { error: CtrlPlaneError; times: number; until: number } | undefined;
  let number = 0;

  const connect = async (): Promise<Held> => {
    const now = performance.now();
    if (failure !== undefined && now < failure.until) throw remembered(failure.error, failure.until - now);
    try {
      folder ??= makePrivateFolder();
      const master = await openMaster(endpoint, await folder, (number += 1), closing.signal);
      const one: Held = { master, opening: 0, hasServed: false, isFull: false };
      held.add(one);
      masters.add(master);
      void master.gone.then(() => {
        held.delete(one);
        masters.delete(master);
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
  const track = (channel: Channel): Channel => {
    channels.add(channel);
    void channel.ended.then(() => channels.delete(channel));
    return channel;
  };
  const serves = (one: Held, channel: Channel): Channel => {
    one.hasServed = true;
    void channel.ended.then(() => (one.isFull = false));
    // Where it cannot be done, processes go on to serve; what is wrong with the engine, they tell.
    one.forwarding ??= forwardEngineSocket(endpoint, one.master, closing.signal).then(
      (path) => void (path !== undefined && (one.engineSocket = path)),
      () => undefined,
    );
    return track(channel);
  };

  const connections: SshConnections = {
    get isForwarded() {
      return [...held].some((each) => each.engineSocket !== undefined);
    },
    async openChannel(signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      for (const one of held) {
        // Each process costs the host more than this waiting.
        await unlessAborted(one.forwarding ?? Promise.resolve(), either);
        const { engineSocket } = one;
        if (engineSocket === undefined) continue;
        const channel = await openSocketChannel(endpoint, engineSocket, either);
        if (channel !== undefined) return track(channel);
      }
      return connections.openProcess(signal);
    },
    async openProcess(signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      for (let lost = 0; ;) {
        const one = await unlessAborted(withRoom(), either);
        one.opening += 1;
        const opened = openProcessChannel(endpoint, one.master.control, either);
        const outcome = await opened.finally(() => (one.opening -= 1));
        if (outcome === "full") {
          if (!one.hasServed && one.opening === 0) throw noSessions(endpoint);
          one.isFull = true;
        } else if (outcome === "gone") {
          held.delete(one);
          lost += 1;
          if (lost > reconnects) throw brokenChannel(endpoint, "it ends whenever a channel is opened");
        } else {
          return serves(one, outcome);
        }
      }
    },
    async openForward(address, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      for (let lost = 0; lost <= reconnects; lost += 1) {
        const [standing] = held;
        const one = standing ?? (await unlessAborted(withRoom(), either));
        const outcome = await openForward(endpoint, one.master, address, either);
        if (outcome !== "gone") return track(outcome);
        held.delete(one);
      }
      throw brokenChannel(endpoint, "it ends whenever a channel is opened");
    },
    async close() {
      closing.abort(new CtrlPlaneError("CANCELLED", `the connection to ${describeEndpoint(endpoint)} was closed`));
      await connecting?.catch(() => undefined);
      await Promise.all([...held].flatMap((each) => each.forwarding ?? []));
      await Promise.all([...channels].map((each) => each.end()));
      await Promise.all([...masters].map((each) => each.end()));
      if (folder !== undefined) await removePrivateFolder(await folder);
    },
  };
  return connections;
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
