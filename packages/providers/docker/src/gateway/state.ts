/** What HAProxy says of one server. */
export interface SeenServer {
  readonly backend: string;
  /** Its own name, `s1` or, for a backup, `b1`. */
  readonly slot: string;
  /** Whom it stands for. */
  readonly hostName: string;
  readonly isBackup: boolean;
  readonly weight: number;
  /** Nothing new is sent to it. */
  readonly isDraining: boolean;
  /** Out of service: it may stand for somebody else. */
  readonly isInMaintenance: boolean;
  /** Seconds since it stood for somebody; infinite where it never did. */
  readonly restedS: number;
  /** Gets nothing, because its name is not known yet, or not any more. */
  readonly isUnknown: boolean;
  /** Where it is looked for; `-` where its name is not known. */
  readonly address: string;
  /** Its last check passed, or it has none, or none was made yet. */
  readonly isUp: boolean;
}

const maintenance = 1;
const unresolved = 32;
/** It was given a name at run time. */
const renamed = 64;
const drain = 8;
/** Of `srv_op_state`: its checks failed, or nobody knows where it is. */
const stopped = 0;

/** What `parseServers` reads the answer to. */
export const serversQuery = "show servers state";

/** From the answer to `serversQuery`. */
export function parseServers(answer: string): readonly SeenServer[] {
  const lines = answer.split("\n");
  const columns =
    lines
      .find((each) => each.startsWith("# "))
      ?.slice(2)
      .split(" ") ?? [];
  return lines.flatMap((line) => {
    const words = line.split(" ");
    if (words.length < columns.length || line.startsWith("#") || columns.length === 0) return [];
    const value = (name: string): string => words[columns.indexOf(name)] ?? "";
    const admin = Number(value("srv_admin_state"));
    const address = value("srv_addr");
    return [
      {
        backend: value("be_name"),
        slot: value("srv_name"),
        hostName: value("srv_fqdn"),
        isBackup: value("srv_name").startsWith("b"),
        weight: Number(value("srv_uweight")),
        isDraining: (admin & drain) !== 0,
        isInMaintenance: (admin & maintenance) !== 0,
        restedS: (admin & renamed) === 0 ? Infinity : Number(value("srv_time_since_last_change")),
        isUnknown: (admin & unresolved) !== 0 || address === "-",
        address,
        isUp: Number(value("srv_op_state")) !== stopped,
      },
    ];
  });
}

/** What is open on a server, and how its last check went. */
export interface ServerActivity {
  readonly backend: string;
  /** The server's own name. */
  readonly slot: string;
  /** Requests and connections: those that it works on, and those that wait for it. */
  readonly inFlight: number;
  /** HAProxy's word, e.g. `L4OK`, `L7STS`; `INI` before the first check; empty without checks. */
  readonly check: string;
  /** What the last check saw, in words. */
  readonly checkDetail: string;
}

/** What `parseActivity` reads the answer to: all servers of all backends. */
export const activityQuery = "show stat -1 4 -1";

/** From the answer to `show stat`, servers and others. */
export function parseActivity(answer: string): readonly ServerActivity[] {
  const [head = "", ...lines] = answer.split("\n").filter((each) => each !== "");
  const columns = splitCsv(head.replace(/^# /, ""));
  return lines.map((line) => {
    const fields = splitCsv(line);
    const value = (name: string): string => fields[columns.indexOf(name)] ?? "";
    const code = value("check_code");
    const words = [value("check_desc"), code === "" || code === "0" ? "" : `status ${code}`, value("last_chk")];
    return {
      backend: value("pxname"),
      slot: value("svname"),
      inFlight: Number(value("scur")) + Number(value("qcur")),
      // A star says that the next one is under way.
      check: value("check_status").replace(/^\* /, ""),
      checkDetail: [...new Set(words.filter((each) => each !== ""))].join(", "),
    };
  });
}

function splitCsv(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll(`""`, `"`) ?? plain ?? "",
  );
}

/** A worker, from its answer to `show info`. */
export interface WorkerInfo {
  /** In the container. */
  readonly pid: number;
  /** The `description` of the configuration that it was started with. */
  readonly structure: string;
  /** Connections of clients that are open, those that wait for their next request included. */
  readonly connections: number;
}

/** Undefined where none answered. */
export function parseInfo(answer: string): WorkerInfo | undefined {
  const pid = /^Pid: (\d+)/m.exec(answer)?.[1];
  if (pid === undefined) return undefined;
  return {
    pid: Number(pid),
    structure: /^description: ([^\s:]+)/m.exec(answer)?.[1] ?? "",
    connections: Number(/^CurrConns: (\d+)/m.exec(answer)?.[1] ?? "0"),
  };
}

/** A request or a connection that a worker works on. */
export interface OpenSession {
  /** As `shutdown session` wants it. */
  readonly id: string;
  readonly backend: string;
  /** The server's own name. */
  readonly slot: string;
}

/** From the answer to `show sess`, without the conversation by which it was asked. */
export function parseSessions(answer: string): readonly OpenSession[] {
  return [...answer.matchAll(/^(0x[0-9a-f]+): .*? fe=port-\S* be=(\S+) srv=(\S+)/gm)].map(
    ([, id = "", backend = "", slot = ""]) => ({ id, backend, slot }),
  );
}

/** Process ids of workers that a reload replaced and that are ending; from the master's answer to `show proc`. */
export function parseOldWorkers(answer: string): readonly number[] {
  const [, old = ""] = answer.split("# old workers");
  return [...old.matchAll(/^(\d+)\s+worker\b/gm)].map(([, pid]) => Number(pid));
}
