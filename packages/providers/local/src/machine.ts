import { dataFolder } from "./options.ts";
import { runningGateway } from "./gateway/start.ts";
import { identify, isAlive } from "./process/identity.ts";
import { launchSupervisor } from "./supervisor/launch.ts";
import { scheduledInstances } from "./schedule/files.ts";
import { supervisorClient, type LocalReplica, type SupervisorStatus } from "./supervisor/client.ts";
import { pause } from "./supervisor/timing.ts";
import { codeVersion } from "./supervisor/version.ts";

export interface LocalMachineOptions {
  /** Data folder, as the provider's option `dir`, relative to the working directory. Default: the provider's. */
  readonly dir?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A replica, of whatever stack. */
export interface LocalMachineReplica {
  readonly name: string;
  readonly instance: string;
  readonly release: number;
  /** Absent where it does not run. */
  readonly pid?: number;
  /** Port by container port. */
  readonly ports: Readonly<Record<string, number>>;
  /** How its last run ended. */
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

export interface LocalMachineStatus {
  /** Absolute. */
  readonly dir: string;
  /** Absent where none runs. */
  readonly supervisor?: SupervisorStatus;
  /** Absent where none runs. It lives on without a supervisor. */
  readonly gateway?: LocalMachineGateway;
  readonly replicas: readonly LocalMachineReplica[];
  /** Names of instances that run by a schedule. */
  readonly schedules: readonly string[];
}

export interface LocalMachineGateway {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Another version of the code started it. It serves on, since its end would cut connections; `stop` and `start` replace it. */
  readonly isOld: boolean;
}

/** What runs from one data folder, of all stacks: `pctl local`. */
export interface LocalMachine {
  /** Starts nothing. */
  status(): Promise<LocalMachineStatus>;
  /** What should run runs, e.g. after a restart of the machine: a supervisor is there and has begun to start it. */
  start(): Promise<void>;
  /** Ends supervisor, gateway and every replica; they come back with the next command that changes something. */
  stop(signal: AbortSignal): Promise<void>;
}

export function localMachine(options: LocalMachineOptions): LocalMachine {
  const declared = options.dir === undefined ? {} : { dir: options.dir };
  const dir = dataFolder(declared, { name: "local", folder: process.cwd(), env: options.env });
  const client = supervisorClient({ dir, env: options.env, start: "never" });
  return {
    status: async () => {
      const [supervisor, replicas] = await Promise.all([client.status(), client.list()]);
      const gateway = describeGateway(dir);
      return {
        dir,
        ...(supervisor === undefined ? {} : { supervisor }),
        ...(gateway === undefined ? {} : { gateway }),
        replicas: replicas.map(describe),
        schedules: scheduledInstances(dir),
      };
    },
    start: async () => {
      if ((await client.list()).length > 0 || scheduledInstances(dir).length > 0)
        await launchSupervisor({ dir, env: options.env });
    },
    stop: async (signal) => {
      const [running, replicas] = await Promise.all([client.status(), client.list()]);
      // Replicas and gateway outlive a supervisor that was killed; only a supervisor stops them.
      const isOrphaned = replicas.some((each) => each.pid !== undefined) || runningGateway(dir) !== undefined;
      if (running === undefined && isOrphaned) await launchSupervisor({ dir, env: options.env });
      const supervisor = (await client.status())?.pid;
      const process = supervisor === undefined ? undefined : identify(supervisor);
      await client.shutdown({ stopServices: true }, { signal });
      // It answers, and ends.
      while (isAlive(process) && !signal.aborted) await pause(5, signal);
    },
  };
}

function describeGateway(dir: string): LocalMachineGateway | undefined {
  const found = runningGateway(dir);
  if (found === undefined) return undefined;
  return { pid: found.pid, startedAt: found.startedAt, isOld: found.version !== codeVersion() };
}

function describe({ record, pid, lastEnd }: LocalReplica): LocalMachineReplica {
  return {
    name: record.name,
    instance: record.instance,
    release: record.releaseNumber,
    ...(pid === undefined ? {} : { pid }),
    ports: Object.fromEntries(record.ports.map((each) => [String(each.containerPort), each.port])),
    ...(lastEnd === undefined ? {} : { exitCode: lastEnd.code, signal: lastEnd.signal }),
  };
}
