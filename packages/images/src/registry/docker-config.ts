import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { errnoOf } from "../context/errno.ts";
import { askHelper } from "./credential-helper.ts";
import { registryHost, serverAddress, type RegistryLogin } from "./login.ts";

interface DockerConfig {
  readonly auths?: Readonly<Record<string, StoredLogin | undefined>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string | undefined>>;
}

interface StoredLogin {
  /** `username:password` in base64. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/**
 * The login that docker itself would use for a registry's host (`docker.io`, `localhost:5000`), from `config.json` in `DOCKER_CONFIG` or
 * `~/.docker`: a helper for that registry, else the store for all, else what stands in the file. Undefined where there is none.
 * @throws `INVALID` for a file that is damaged, `UNAUTHORIZED` for a helper that cannot be asked.
 */
export async function dockerLogin(
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistryLogin | undefined> {
  const config = await readConfig(env);
  const key = serverAddress(registry);
  const helper = own(config.credHelpers, key) ?? own(config.credHelpers, registry) ?? config.credsStore;
  if (helper !== undefined && helper !== "") return askHelper(helper, key, env);
  const auths = config.auths ?? {};
  const near = Object.keys(auths).find((each) => registryHost(each) === registryHost(registry));
  return storedLogin(own(auths, key) ?? (near === undefined ? undefined : auths[near]));
}

async function readConfig(env: Readonly<Record<string, string | undefined>>): Promise<DockerConfig> {
  const folder = env["DOCKER_CONFIG"] ?? join(env["HOME"] ?? homedir(), ".docker");
  const file = join(folder, "config.json");
  try {
    const config: unknown = JSON.parse(await readFile(file, "utf8"));
    // Docker's own file: what stands in it has the shape that docker gave it, and no part of it must be there.
    return typeof config === "object" && config !== null ? config : {};
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return {};
    if (!(error instanceof SyntaxError)) throw error;
    throw new CtrlPlaneError("INVALID", `${file} is no JSON`, {
      target: file,
      hint: "It is the docker CLI's own file; repair it, or set DOCKER_CONFIG to another folder.",
      cause: error,
    });
  }
}

function storedLogin(stored: StoredLogin | undefined): RegistryLogin | undefined {
  if (stored === undefined) return undefined;
  if (stored.identitytoken !== undefined && stored.identitytoken !== "")
    return { kind: "token", identityToken: stored.identitytoken };
  const plain = Buffer.from(stored.auth ?? "", "base64").toString();
  const colon = plain.indexOf(":");
  const username = colon < 0 ? (stored.username ?? "") : plain.slice(0, colon);
  // Docker pads with zero bytes in places.
  const password = colon < 0 ? (stored.password ?? "") : plain.slice(colon + 1).replace(/\0+$/, "");
  return username === "" ? undefined : { kind: "password", username, password };
}

function own<T>(of: Readonly<Record<string, T | undefined>> | undefined, key: string): T | undefined {
  return of !== undefined && Object.hasOwn(of, key) ? of[key] : undefined;
}
