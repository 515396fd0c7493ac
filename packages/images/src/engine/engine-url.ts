import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { isHostName, isPort, isUserName, type Endpoint } from "./endpoint.ts";

const plainPort = 2375;
const tlsPort = 2376;

/**
 * What `DOCKER_HOST` may hold: `unix://PATH`, `tcp://HOST[:PORT]`, `ssh://[USER@]HOST[:PORT]`; without a scheme it is TCP. `https://` is TCP with TLS by the
 * authorities that this machine trusts. Ports default to 2376 with TLS, else 2375. `source` is named in errors (INVALID).
 */
export function parseEngineUrl(text: string, source: string, hasTls: boolean): Endpoint {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case "unix":
      if (rest.startsWith("/")) return { kind: "socket", path: rest };
      throw invalid(source, text, "the path of a socket begins with `/`");
    case "tcp":
    case "http":
      return { kind: "tcp", ...authority(rest, text, source, hasTls ? tlsPort : plainPort) };
    case "https":
      return { kind: "tcp", ...authority(rest, text, source, tlsPort), tls: {} };
    case "ssh":
      return sshEndpoint(rest, text, source);
    case "npipe":
      throw new CtrlPlaneError("UNSUPPORTED", `${source}: named pipes of Windows are not supported`, {
        target: source,
        hint: "Have the engine listen on TCP, or use `host` to reach it by SSH.",
      });
    default:
      throw invalid(source, text, `\`${scheme}://\` is no way to an engine`);
  }
}

function sshEndpoint(rest: string, text: string, source: string): Endpoint {
  const at = rest.lastIndexOf("@");
  const user = at < 0 ? undefined : rest.slice(0, at);
  if (user !== undefined && !isUserName(user))
    throw invalid(source, text, "a user's name stands before the `@`, and no password");
  const { host, port } = authority(rest.slice(at + 1), text, source, 0);
  return {
    kind: "ssh",
    host,
    ...(user === undefined ? {} : { user }),
    ...(port === 0 ? {} : { port }),
    sudo: false,
  };
}

function authority(rest: string, text: string, source: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:/[\]]*))(?::(\d+))?\/?$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !isHostName(host))
    throw invalid(source, text, "a host stands after `://`, then perhaps `:` and a port");
  const port = digits === undefined ? defaultPort : Number(digits);
  if (digits !== undefined && !isPort(port)) throw invalid(source, text, `${digits} is no port`);
  return { host, port };
}

function invalid(source: string, text: string, reason: string): CtrlPlaneError {
  // A password that somebody wrote into an address stays out of the message.
  const shown = text.replace(/:[^:/@]*@/, ":…@");
  return new CtrlPlaneError("INVALID", `${source}: ${shown} is not the address of an engine: ${reason}`, {
    target: source,
    hint: "For example `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376` or `ssh://deploy@shop.example`.",
  });
}
