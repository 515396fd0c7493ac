import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CtrlPlaneError, type ProviderEnvironment } from "@ctrlplane/core/provider";
import { findDockerContext, isPem, parseEngineUrl, type Endpoint, type TcpEndpoint } from "@ctrlplane/images";
import type { DockerOptions } from "./options.ts";

/** The environment, and where the socket of an engine that root runs lies. */
type Place = ProviderEnvironment & { readonly defaultSocket: string };

/**
 * Where the engine is: by the options, else where the docker CLI would look: `DOCKER_HOST` (with `DOCKER_TLS_VERIFY`, `DOCKER_TLS` and
 * `DOCKER_CERT_PATH`), `DOCKER_CONTEXT`, the current context of its configuration, `/var/run/docker.sock`, and the socket of a rootless engine
 * where that does not exist. Paths in options are relative to the configuration's folder. Reads files; asks no engine. Throws INVALID for what is named and
 * is not there.
 */
export function endpointOf(
  options: DockerOptions,
  environment: ProviderEnvironment,
  defaultSocket = "/var/run/docker.sock",
): Endpoint {
  const { host, url, socket, context } = options;
  const place = { ...environment, defaultSocket };
  if (host !== undefined && host !== "local") return sshEndpoint(host, options, environment);
  if (url !== undefined) return urlEndpoint(url, options, environment);
  if (socket !== undefined) return { kind: "socket", path: pathOf(socket, environment) };
  if (context !== undefined) return contextEndpoint(context, place);
  return ambientEndpoint(place);
}

function sshEndpoint(host: string, options: DockerOptions, environment: ProviderEnvironment): Endpoint {
  const { user, port, key, hostKey, sudo = false } = options;
  return {
    kind: "ssh",
    host,
    sudo,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(key === undefined ? {} : { key: isPem(key) ? key : pathOf(key, environment) }),
    ...(hostKey === undefined ? {} : { hostKey }),
  };
}

function urlEndpoint(url: string, options: DockerOptions, environment: ProviderEnvironment): Endpoint {
  const { ca, cert, key } = options;
  const hasTls = ca !== undefined || cert !== undefined;
  const endpoint = parseEngineUrl(url, "options.url", hasTls);
  if (!hasTls) return endpoint;
  if (endpoint.kind !== "tcp") throw invalid("options.url", "`ca`, `cert` and `key` are for an engine on TCP");
  const pem = (name: string, value: string | undefined): Record<string, string> =>
    value === undefined
      ? {}
      : { [name]: isPem(value) ? value : readPem(`options.${name}`, pathOf(value, environment)) };
  const tls = { ...pem("ca", ca), ...pem("cert", cert), ...pem("key", key) };
  return { ...endpoint, tls };
}

function ambientEndpoint(place: Place): Endpoint {
  const { env } = place;
  const url = given(env["DOCKER_HOST"]);
  if (url !== undefined) return withTlsOf(url, place);
  const configured = given(env["DOCKER_CONTEXT"]) ?? currentContext(place);
  return configured === undefined ? localEndpoint(place) : contextEndpoint(configured, place);
}

function withTlsOf(url: string, environment: ProviderEnvironment): Endpoint {
  const { env } = environment;
  const verify = given(env["DOCKER_TLS_VERIFY"]) !== undefined;
  const hasTls = verify || given(env["DOCKER_TLS"]) !== undefined;
  const endpoint = parseEngineUrl(url, "DOCKER_HOST", hasTls);
  if (endpoint.kind !== "tcp" || !hasTls) return endpoint;
  const folder = given(env["DOCKER_CERT_PATH"]) ?? configFolder(environment);
  return { ...endpoint, tls: { ...pemsIn(folder), verify } };
}

function contextEndpoint(name: string, place: Place): Endpoint {
  // The CLI's own name for what is without contexts.
  if (name === "default") {
    const url = given(place.env["DOCKER_HOST"]);
    return url === undefined ? localEndpoint(place) : withTlsOf(url, place);
  }
  const context = findDockerContext(configFolder(place), name);
  if (context.url === undefined) return localEndpoint(place);
  const pems = pemsIn(context.tlsFolder);
  const hasTls = Object.keys(pems).length > 0 || context.skipVerify;
  const endpoint = parseEngineUrl(context.url, `context ${name}`, hasTls);
  if (endpoint.kind !== "tcp" || !hasTls) return endpoint;
  return { ...endpoint, tls: { ...pems, verify: !context.skipVerify } };
}

function localEndpoint({ env, defaultSocket }: Place): Endpoint {
  const runtime = given(env["XDG_RUNTIME_DIR"]);
  const rootless = runtime === undefined ? undefined : join(runtime, "docker.sock");
  if (rootless !== undefined && !existsSync(defaultSocket) && existsSync(rootless)) {
    return { kind: "socket", path: rootless };
  }
  return { kind: "socket", path: defaultSocket };
}

function currentContext(environment: ProviderEnvironment): string | undefined {
  const file = join(configFolder(environment), "config.json");
  const text = readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    const { currentContext: name } = JSON.parse(text) as { currentContext?: string };
    return given(name);
  } catch (cause) {
    throw invalid(file, `${file} is no valid JSON`, cause);
  }
}

function configFolder({ env }: ProviderEnvironment): string {
  return given(env["DOCKER_CONFIG"]) ?? join(given(env["HOME"]) ?? homedir(), ".docker");
}

type Tls = NonNullable<TcpEndpoint["tls"]>;

/** Those of the three that are there. */
function pemsIn(folder: string): Tls {
  const found = ["ca", "cert", "key"].map((name) => [name, readIfPresent(join(folder, `${name}.pem`))] as const);
  return Object.fromEntries(found.filter(([, text]) => text !== undefined));
}

function readPem(field: string, path: string): string {
  const text = readIfPresent(path);
  if (text === undefined) throw invalid(field, `there is no file ${path}`);
  return text;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw invalid(path, `${path} cannot be read`, cause);
  }
}

function pathOf(path: string, { folder, env }: ProviderEnvironment): string {
  const home = given(env["HOME"]) ?? homedir();
  return resolve(folder, path.startsWith("~/") ? join(home, path.slice(2)) : path);
}

/** An empty variable counts as none, as it does for the docker CLI. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}

function invalid(target: string, message: string, cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", message, { target, ...(cause === undefined ? {} : { cause }) });
}
