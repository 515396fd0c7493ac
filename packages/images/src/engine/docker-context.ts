import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** A context that `docker context create` made. */
export interface DockerContext {
  /** As `DOCKER_HOST`; undefined: the default socket. */
  readonly url: string | undefined;
  /** Holds ca.pem, cert.pem and key.pem, as far as it has them. */
  readonly tlsFolder: string;
  readonly skipVerify: boolean;
}

/** `configFolder` is that of the docker CLI, `~/.docker`. Throws INVALID where there is none of this name, or where it cannot be read. */
export function findDockerContext(configFolder: string, name: string): DockerContext {
  const id = createHash("sha256").update(name).digest("hex");
  const file = join(configFolder, "contexts", "meta", id, "meta.json");
  const options = { target: `context ${name}`, hint: "`docker context ls` prints those that there are." };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CtrlPlaneError("INVALID", `the docker CLI has no context \`${name}\` for this user`, {
      ...options,
      cause,
    });
  }
  try {
    const { Endpoints } = JSON.parse(text) as { Endpoints?: { docker?: { Host?: string; SkipTLSVerify?: boolean } } };
    const { Host: url, SkipTLSVerify: skipVerify = false } = Endpoints?.docker ?? {};
    return {
      url: url === "" ? undefined : url,
      tlsFolder: join(configFolder, "contexts", "tls", id, "docker"),
      skipVerify,
    };
  } catch (cause) {
    throw new CtrlPlaneError("INVALID", `the context \`${name}\` in ${file} cannot be read`, { ...options, cause });
  }
}
