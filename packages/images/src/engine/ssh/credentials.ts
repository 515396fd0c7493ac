import { access, constants, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { describeEndpoint, isPem, type SshEndpoint } from "../endpoint.ts";
import { hostKeyAlias } from "./arguments.ts";

/** What `ssh` reads while it connects; undefined where the endpoint names none. */
export interface Credentials {
  readonly key: string | undefined;
  readonly knownHosts: string | undefined;
  /** Takes the private key off the disk again; called as soon as the connection stands, or could not be made. */
  forget(): Promise<void>;
}

/** Writes them into `folder`. Throws UNAUTHORIZED where the key's file cannot be read. */
export async function writeCredentials(endpoint: SshEndpoint, folder: string): Promise<Credentials> {
  const { key, hostKey } = endpoint;
  const knownHosts = hostKey === undefined ? undefined : join(folder, "known_hosts");
  if (knownHosts !== undefined) await writeFile(knownHosts, knownHostsText(hostKey ?? ""), { mode: 0o600 });
  if (key === undefined) return { key, knownHosts, forget: () => Promise.resolve() };
  const file = join(folder, "key");
  const forget = async (): Promise<void> => {
    for (const end of ["", ".pub", "-cert.pub"]) await rm(`${file}${end}`, { force: true });
  };
  await forget();
  // OpenSSH wants the last line to end, and no carriage returns: secrets lose the one and gain the other.
  if (isPem(key)) await writeFile(file, `${key.replaceAll("\r", "").trim()}\n`, { mode: 0o600 });
  else await link(endpoint, key, file);
  return { key: file, knownHosts, forget };
}

/** Its public half and its certificate lie beside a key. */
async function link(endpoint: SshEndpoint, key: string, file: string): Promise<void> {
  try {
    await access(key, constants.R_OK);
  } catch (cause) {
    const subject = describeEndpoint(endpoint);
    throw new CtrlPlaneError("UNAUTHORIZED", `${subject}: the key ${key} cannot be read`, {
      target: subject,
      cause,
      hint: "Check the path in `key`; it is relative to the folder of the configuration file.",
    });
  }
  for (const end of ["", ".pub", "-cert.pub"]) await symlink(`${key}${end}`, `${file}${end}`);
}

function knownHostsText(hostKey: string): string {
  const lines = hostKey.trim().split("\n");
  return lines.map((line) => `${hostKeyAlias} ${line.trim()}\n`).join("");
}
