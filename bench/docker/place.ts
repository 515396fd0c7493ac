import { dockerSocket } from "../../test/engines/docker.ts";
import { dockerHosts } from "../../test/engines/hosts.ts";
import { socketPlace, sshPlace, type Place } from "./bed.ts";

/** The engine of the tests. Throws where there is none: nothing was measured then. */
export async function enginePlace(): Promise<Place & { readonly socket: string }> {
  const socket = await dockerSocket();
  if (socket === undefined) throw new Error("missing: Docker Engine (node test/engines/docker.ts up)");
  return { ...socketPlace(socket), socket };
}

/** A host of the tests, over SSH. Throws where there is none. */
export async function hostPlace(): Promise<Place> {
  const hosts = await dockerHosts();
  if (hosts === undefined) throw new Error("missing: hosts with Docker Engine (node test/engines/hosts.ts up)");
  return sshPlace(hosts[0]);
}
