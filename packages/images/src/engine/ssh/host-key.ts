import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { hostKeyAlias, lookAtKeyArguments } from "./arguments.ts";
import { runSsh } from "./run-ssh.ts";

/** The refusal of a host whose key nobody vouches for, with the line to paste. The key is looked at for the message alone. */
export async function unknownHostKey(endpoint: SshEndpoint, folder: string): Promise<CtrlPlaneError> {
  const subject = describeEndpoint(endpoint);
  const key = await lookAtKey(endpoint, folder);
  const where = endpoint.hostKey === undefined ? "the known hosts" : "`hostKey`";
  const shown = key === undefined ? "" : `; it shows ${fingerprint(key)}`;
  return new CtrlPlaneError("UNAUTHORIZED", `${subject}: the host's key is not among ${where}${shown}`, {
    target: subject,
    hint:
      key === undefined
        ? "Put the line that `ssh-keyscan` prints for the host into `hostKey`, without its first word, once you have compared it."
        : `If \`ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub\` on the host prints the same, put this into the provider's options: hostKey: "${key}"`,
  });
}

async function lookAtKey(endpoint: SshEndpoint, folder: string): Promise<string | undefined> {
  const file = join(folder, "shown");
  await runSsh(lookAtKeyArguments(endpoint, file));
  const text = await readFile(file, "utf8").catch(() => "");
  await rm(file, { force: true });
  const line = text.split("\n").find((each) => each.startsWith(`${hostKeyAlias} `));
  return line?.slice(hostKeyAlias.length + 1).trim();
}

/** As `ssh-keygen -l` prints it. */
function fingerprint(key: string): string {
  const [, base64 = ""] = key.split(" ");
  const digest = createHash("sha256").update(Buffer.from(base64, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

function shortType(key: string): string {
  if (key.startsWith("ecdsa")) return "ecdsa";
  return key.startsWith("ssh-rsa") ? "rsa" : "ed25519";
}
