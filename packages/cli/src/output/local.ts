import type { LocalMachineReplica, LocalMachineStatus } from "@ctrlplane/provider-local";
import type { Paint } from "./paint.ts";
import { fullColumns, table } from "./table.ts";
import { age } from "./time.ts";

/** The processes of a data folder: supervisor, gateway, replicas of all stacks. */
export function renderLocal(status: LocalMachineStatus, paint: Paint, nowMs: number): string[] {
  const { supervisor, gateway, replicas, schedules } = status;
  const none = paint("dim", "does not run; the next change starts it");
  const old = gateway?.isOld === true ? ", of another version: pctl local stop, then start, replaces it" : "";
  const lines = [
    `folder      ${status.dir}`,
    `supervisor  ${supervisor === undefined ? none : `pid ${supervisor.pid}, for ${age(supervisor.startedAt, nowMs)}, version ${supervisor.version}`}`,
    `gateway     ${gateway === undefined ? none : `pid ${gateway.pid}, for ${age(gateway.startedAt, nowMs)}${old}`}`,
  ];
  if (schedules.length > 0) lines.push(`schedules   ${schedules.join(", ")}`);
  if (replicas.length === 0) return [...lines, "replicas    none"];
  const rows = [...replicas]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((each) => [each.name, String(each.release), stateOf(each, paint), portsOf(each)]);
  return [...lines, "", ...table(...fullColumns(["REPLICA", "RELEASE", "STATE", "PORTS"], rows))];
}

function stateOf(replica: LocalMachineReplica, paint: Paint): string {
  if (replica.pid !== undefined) return paint("good", `pid ${replica.pid}`);
  const ended =
    replica.signal ??
    (replica.exitCode === undefined || replica.exitCode === null ? undefined : `exit ${replica.exitCode}`);
  return paint("dim", ended === undefined ? "does not run" : `ended, ${ended}`);
}

/** `3000→41873`. */
function portsOf(replica: LocalMachineReplica): string {
  return Object.entries(replica.ports)
    .map(([containerPort, port]) => `${containerPort}→${port}`)
    .join(" ");
}
