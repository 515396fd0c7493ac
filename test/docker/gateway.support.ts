import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { TestContext } from "node:test";
import {
  isCtrlPlaneError,
  type HealthSpec,
  type InstanceIdentity,
  type ProviderContext,
} from "@ctrlplane/core/provider";
import { connectEngine, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import type {
  GatewayPlace,
  GatewayPort,
  GatewayTable,
  GatewayTarget,
} from "../../packages/providers/docker/src/gateway/index.ts";
import { framesOf } from "../../packages/providers/docker/src/streams.ts";
import { dockerSocket } from "../engines/docker.ts";
import { freePort } from "../free-port.ts";

/** Where the servers of these tests listen. */
export const httpPort = 3000;
export const echoPort = 4000;
/** Speaks first. */
export const bannerPort = 4001;

/** Answers HTTP with its name (`/slow?ms=`, `/stream?ms=`, `/health`, `/open`: how many others are open; upgrades are echoed), echoes TCP, and greets at a third port. Ends at once on SIGTERM. */
const server = `
const name = process.env.NAME;
let open = 0;
process.on("SIGTERM", () => process.exit(0));
require("node:http").createServer((request, response) => {
  const url = new URL(request.url, "http://server");
  const ms = Number(url.searchParams.get("ms"));
  if (url.pathname === "/open") return response.end(String(open));
  open += 1;
  response.once("close", () => (open -= 1));
  if (url.pathname === "/slow") return setTimeout(() => response.end(name), ms);
  if (url.pathname === "/headers") return response.end(JSON.stringify(request.headers));
  if (url.pathname === "/health") return response.writeHead(Number(process.env.HEALTH ?? 200)).end(name);
  if (url.pathname !== "/stream") return request.resume().on("end", () => response.end(name));
  const timer = setInterval(() => response.write("more\\n"), 50);
  setTimeout(() => { clearInterval(timer); response.end("last " + name); }, ms);
}).on("upgrade", (request, socket) => {
  socket.on("error", () => {}).write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n");
  socket.pipe(socket);
}).listen(${httpPort});
const net = require("node:net");
net.createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(${echoPort});
net.createServer((socket) => socket.on("error", () => {}).end("hello from " + name)).listen(${bannerPort});
`;

export interface GatewayRig {
  readonly engine: EngineClient;
  readonly place: GatewayPlace;
  readonly context: ProviderContext;
  /** A server in the stack's network that listens already. */
  start(name: string, env?: Readonly<Record<string, string>>): Promise<GatewayTarget>;
  /** As a deploy that is in a hurry: SIGKILL, and gone. */
  kill(target: Pick<GatewayTarget, "id">): Promise<void>;
  /** Stops it, starts another server, which may get its address, and starts it again; resolves with its address now. */
  restart(target: Pick<GatewayTarget, "id">, startAnother: () => Promise<unknown>): Promise<string>;
  /** Id of a container by its name; undefined where there is none. */
  idOf(name: string): Promise<string | undefined>;
  /** The last lines that a container printed, with their times. */
  logOf(name: string): Promise<string>;
  /** A name that begins like all others of this rig. */
  named(word: string): string;
}

const socketPath = await dockerSocket();
/** Of every test here. */
export const options = { skip: socketPath === undefined ? "missing: Docker Engine" : false, timeout: 180_000 };

/** A stack of its own on the engine, gone with the test. */
export async function gatewayRig(t: TestContext, image = "haproxy:lts"): Promise<GatewayRig> {
  assert.ok(socketPath !== undefined);
  const engine = connectEngine({ kind: "socket", path: socketPath });
  const stack = `ctrlplane-gateway-${randomBytes(4).toString("hex")}`;
  const network = `${stack}-net`;
  const labels = { "ctrlplane-test": stack };
  await engine.json({
    method: "POST",
    path: "/networks/create",
    body: { Name: network, Driver: "bridge", Labels: labels },
  });
  t.after(async () => {
    await removeAll(engine, [`ctrlplane-test=${stack}`, `pctl-stack=${stack}`]);
    await engine.json({ method: "DELETE", path: `/networks/${network}` });
    await engine.close();
  });
  const idOf = async (name: string): Promise<string | undefined> => {
    const path = `/containers/${segment(name)}/json`;
    return (await unlessMissing(engine.json<{ readonly Id: string }>({ method: "GET", path })))?.Id;
  };
  const addressOf = async (id: string): Promise<string> => {
    const { NetworkSettings } = await engine.json<{
      readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
    }>({ method: "GET", path: `/containers/${id}/json` });
    return NetworkSettings.Networks[network]?.IPAddress ?? "";
  };
  return {
    engine,
    place: { engine, instance: identity(stack), network, aliases: ["web"], image },
    context: testContext(),
    idOf,
    async logOf(name) {
      const query = { stdout: true, stderr: true, timestamps: true, tail: 60 };
      const lines: string[] = [];
      const response = await engine.stream({ method: "GET", path: `/containers/${segment(name)}/logs`, query });
      for await (const { data } of framesOf(response)) lines.push(data.toString("utf8"));
      return lines.join("");
    },
    named: (word) => `${stack}-${word}`,
    async start(name, env = {}) {
      const { Id: id } = await engine.json<{ readonly Id: string }>({
        method: "POST",
        path: "/containers/create",
        query: { name: `${stack}-${name}` },
        body: {
          Image: "node:24-slim",
          Cmd: ["node", "-e", server],
          Env: Object.entries({ NAME: name, ...env }).map(([key, value]) => `${key}=${value}`),
          Labels: labels,
          HostConfig: { NetworkMode: network },
        },
      });
      await engine.json({ method: "POST", path: `/containers/${id}/start` });
      const host = await addressOf(id);
      await listening(host);
      return { id, host, weight: 0 };
    },
    async restart({ id }, startAnother) {
      await engine.json({ method: "POST", path: `/containers/${id}/kill` });
      await startAnother();
      await engine.json({ method: "POST", path: `/containers/${id}/start` });
      const host = await addressOf(id);
      await listening(host);
      return host;
    },
    async kill({ id }) {
      await unlessMissing(engine.json({ method: "DELETE", path: `/containers/${id}`, query: { force: true } }));
    },
  };
}

function identity(stack: string): InstanceIdentity {
  return {
    id: "inst_01jexample0000000000000000",
    name: `${stack}-web`,
    stack,
    service: "web",
    lineage: "lin_01jexample0000000000000000",
    provider: "docker",
    platformId: "engine",
  };
}

export function testContext(change: Partial<ProviderContext> = {}): ProviderContext {
  const unexpected = (): never => {
    throw new Error("nothing is sealed here");
  };
  return {
    signal: AbortSignal.timeout(120_000),
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      sleep: (ms, signal) => pause(ms, undefined, signal === undefined ? {} : { signal }),
    },
    log: { debug: () => undefined, warn: () => undefined },
    progress: () => undefined,
    fence: { stack: "test", epoch: 1, check: () => Promise.resolve() },
    sealer: { seal: unexpected, open: unexpected },
    ...change,
  };
}

async function removeAll(engine: EngineClient, labels: readonly string[]): Promise<void> {
  for (const each of labels) {
    const query = { all: true, filters: { label: [each] } };
    const found = await engine.json<readonly { readonly Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query,
    });
    for (const { Id } of found)
      await unlessMissing(
        engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true, v: true } }),
      );
  }
}

/** Servers open their ports in order: the last one is asked. */
async function listening(host: string): Promise<void> {
  await eventually(async () => (await fetchText(`http://${host}:${httpPort}/`)) !== "");
}

/** This many requests are open on the server. */
export async function inFlight({ host }: GatewayTarget, count: number): Promise<void> {
  await eventually(async () => (await fetchText(`http://${host}:${httpPort}/open`)) === String(count));
}

/** Within 20 s. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > until) throw new Error("it never came to be");
    await pause(50);
  }
}

export function table(
  ports: GatewayTable["ports"],
  targets: readonly (readonly [GatewayTarget, number])[],
  more: Partial<GatewayTable> = {},
): GatewayTable {
  return { ports, drainMs: 2000, targets: targets.map(([target, weight]) => ({ ...target, weight })), ...more };
}

/** Over a connection of its own. */
export function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, timeout: 10_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.once("timeout", () => sent.destroy(new Error("timeout")));
    sent.once("error", reject);
  });
}

export function hasCode(code: string, verdict?: string): (error: unknown) => boolean {
  return (error) =>
    isCtrlPlaneError(error) && error.code === code && (verdict === undefined || error.failure?.verdict === verdict);
}

/** One HTTP port of the host. */
export async function published(): Promise<{
  readonly url: string;
  readonly port: GatewayPort & { readonly hostPort: number };
}> {
  const hostPort = await freePort();
  return { url: `http://127.0.0.1:${hostPort}`, port: { containerPort: httpPort, hostPort, protocol: "auto" } };
}

/** An HTTP check of `httpPort`. */
export function health(path: string): HealthSpec {
  return {
    probe: { kind: "http", path },
    intervalMs: 500,
    timeoutMs: 2000,
    retries: 2,
    graceMs: 0,
    onFailure: { action: "restart", declared: false },
  };
}
