import { sha256 } from "@ctrlplane/core/provider";
import { checkOf, probeCheck, type Check } from "./checks.ts";
import type { GatewayPort, StoredTable } from "./gateway-table.ts";
import { listenersOf, modesOf, roomFor, serversOf, type Server } from "./servers.ts";

/** Commands for the worker that serves now; on the container's own loopback, where nobody else gets. */
export const workerPort = 64902;
/** Commands for HAProxy's master process, which knows workers that are ending too. */
export const masterPort = 64901;

/** Alias of every gateway, for servers that stand for nobody yet: a name that the engine answers itself. They are out of service. */
export const nobody = "pctl-gateway";

/** Two buffers of 16 KiB for each at the most: 256 MiB. Clients beyond it wait until one goes. */
const connections = 8000;

export interface Configuration {
  /** HAProxy's own, whole. */
  readonly text: string;
  /** Of everything but the servers: what of a running HAProxy only a reload changes. */
  readonly structure: string;
}

/** Pure: equal tables give equal texts. */
export function configurationOf(stored: StoredTable): Configuration {
  const structure = sha256(sectionsOf(stored, "", [], 0)).slice(0, 16);
  return { structure, text: sectionsOf(stored, structure, serversOf(stored.table), roomFor(stored.table)) };
}

/** Never routed to: servers in it are only checked. */
export function probeBackend(path: string | undefined): string {
  return path === undefined ? "probe-tcp" : `probe-http-${sha256(path).slice(0, 12)}`;
}

function sectionsOf(
  { table, probes }: StoredTable,
  structure: string,
  servers: readonly Server[],
  room: number,
): string {
  const check = checkOf(table.health);
  const listeners = listenersOf(table);
  const routed = listeners.flatMap((port) =>
    modesOf(port).flatMap((mode) => backend(mode, port, check, table.health?.probe.kind === "http", servers, room)),
  );
  const probed = [undefined, ...probes].flatMap((path) => [
    `backend ${probeBackend(path)}`,
    ...indented(["balance roundrobin", ...probeCheck(path).lines]),
  ]);
  return [...global(structure), ...names, ...defaults, ...listeners.flatMap(frontend), ...routed, ...probed, ""].join(
    "\n",
  );
}

function global(structure: string): readonly string[] {
  const lines = [
    ...(structure === "" ? [] : [`description ${structure}`]),
    `maxconn ${connections}`,
    "nbthread 2",
    // A host that allows fewer open files gets fewer connections, not no gateway.
    "no strict-limits",
    // Of a worker that a reload replaced: its last connections end then at the latest.
    "hard-stop-after 1h",
    `stats socket ipv4@127.0.0.1:${workerPort} level admin expose-fd listeners`,
    "stats timeout 1m",
    "log stdout format raw local0 notice",
  ];
  return ["global", ...indented(lines)];
}

/** The engine's own name service: a replica keeps its name when a restart gives it another address. */
const names = [
  "resolvers engine",
  ...indented([
    "nameserver engine 127.0.0.11:53",
    "resolve_retries 3",
    "timeout resolve 1s",
    "timeout retry 1s",
    "hold valid 1s",
    "hold nx 2s",
    "hold obsolete 2s",
    // A name service that does not answer says nothing of replicas.
    ...["timeout", "refused", "other"].map((each) => `hold ${each} 1d`),
  ]),
];

const defaults = [
  "defaults",
  ...indented([
    "mode tcp",
    "log global",
    "timeout connect 3s",
    // Dead peers are found by TCP itself; silence is no reason to end a connection.
    "timeout client 1d",
    "timeout server 1d",
    "option clitcpka",
    "option srvtcpka",
    "timeout http-request 1m",
    "timeout http-keep-alive 2m",
    // A connection to a replica is used once: a kept one could be closed by the replica just when a request is sent.
    "option http-server-close",
    // Without it a reload closes idle connections while clients send on them.
    "option idle-close-on-response",
    "option redispatch 1",
    "retries 3",
  ]),
];

function frontend(port: GatewayPort): readonly string[] {
  const { containerPort, protocol } = port;
  const bind = `bind :${containerPort}`;
  const rules = {
    tcp: [bind, `default_backend tcp-${containerPort}`],
    http: ["mode http", bind, `default_backend http-${containerPort}`],
    auto: [
      bind,
      // Long enough for a lost packet to be sent again: a client of HTTP that counted as silent would be cut off by the next deploy.
      "tcp-request inspect-delay 1s",
      "tcp-request content switch-mode http if HTTP",
      `use_backend http-${containerPort} if HTTP`,
      `default_backend tcp-${containerPort}`,
    ],
  };
  return [`frontend port-${containerPort}`, ...indented(rules[protocol])];
}

function backend(
  mode: "http" | "tcp",
  { containerPort }: GatewayPort,
  check: Check,
  isHttpCheck: boolean,
  servers: readonly Server[],
  room: number,
): readonly string[] {
  const name = `${mode}-${containerPort}`;
  const own = servers.filter((each) => each.backend === name);
  const http = [
    "mode http",
    "option forwardfor",
    "http-request set-header X-Forwarded-Proto http unless { req.hdr(X-Forwarded-Proto) -m found }",
    "http-request set-header X-Forwarded-Host %[req.hdr(Host)] unless { req.hdr(X-Forwarded-Host) -m found }",
  ];
  const lines = [...(mode === "http" ? http : []), "balance roundrobin", "option allbackups", ...check.lines];
  // In a comment, so that a change of it is one of the structure.
  return [
    `backend ${name}`,
    ...indented([
      ...lines,
      `# ${check.words}`,
      ...slots(
        "s",
        containerPort,
        check.words,
        own.filter((each) => !each.isBackup),
        room,
      ),
      ...slots(
        "b",
        containerPort,
        "backup",
        own.filter((each) => each.isBackup),
        isHttpCheck ? room : 0,
      ),
    ]),
  ];
}

/** Servers with room for further ones, which are told at run time whom they stand for. */
function slots(
  letter: "s" | "b",
  port: number,
  words: string,
  servers: readonly Server[],
  room: number,
): readonly string[] {
  const follows = "resolvers engine resolve-prefer ipv4 resolve-opts allow-dup-ip init-addr libc,none";
  return Array.from({ length: room }, (_, index) => {
    const server = servers[index];
    const at = `server ${letter}${index + 1} ${server?.hostName ?? nobody}:${port} ${follows}`;
    return server === undefined ? `${at} ${words} disabled` : `${at} weight ${server.weight} ${words}`;
  });
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((each) => `  ${each}`);
}
