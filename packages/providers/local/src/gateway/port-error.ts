import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import { describeOwner, overlaps, ownerOf, readListening } from "../process/listening-sockets.ts";
import { transportOf } from "./entrance.ts";
import type { Entrance, RouteTable } from "./routes.ts";

/** What a failed `listen` means to the user. `target` is the entrance's id. */
export function portError(entrance: Entrance, cause: unknown): CtrlPlaneError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const at = describePort(entrance);
  const options = { target: entrance.id, cause };
  switch (code) {
    case "EADDRINUSE":
      return portInUse(entrance, "another process", cause);
    case "EACCES":
      return new CtrlPlaneError("FORBIDDEN", `port ${at} may not be opened by this user`, {
        ...options,
        hint: "Choose a port from 1024 up, or lower net.ipv4.ip_unprivileged_port_start.",
      });
    case "EADDRNOTAVAIL":
      return new CtrlPlaneError("INVALID", `${entrance.address} is no address of this machine`, {
        ...options,
        hint: "Name an address of this machine, or none.",
      });
    default:
      return new CtrlPlaneError("INTERNAL", `port ${at} could not be opened: ${String(cause)}`, options);
  }
}

/** Adds to an error of `apply` who holds the port. Reads all of `/proc`, so it is done where nobody waits for a request. */
export function withHolder(error: unknown, table: RouteTable): unknown {
  if (!isCtrlPlaneError(error) || error.failure?.verdict !== "PORT_IN_USE") return error;
  const entrance = table.entrances.find((each) => each.id === error.target);
  if (entrance === undefined) return error;
  const transport = transportOf(entrance);
  const holders = readListening().filter((each) => each.transport === transport && each.port === entrance.port);
  const holder = holders.find((each) => overlaps(each.address, entrance.address)) ?? holders[0];
  if (holder === undefined) return error;
  return portInUse(entrance, describeOwner(ownerOf(holder)), error);
}

function portInUse(entrance: Entrance, by: string, cause: unknown): CtrlPlaneError {
  return new CtrlPlaneError("FAILED", `port ${describePort(entrance)} is in use by ${by}`, {
    target: entrance.id,
    cause,
    failure: { verdict: "PORT_IN_USE" },
    hint: "End that process, or choose another host port.",
  });
}

function describePort({ address, port, protocol }: Entrance): string {
  return `${address === "*" ? "" : `${address}:`}${port}${protocol === "udp" ? "/udp" : ""}`;
}
