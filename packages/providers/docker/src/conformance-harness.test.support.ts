import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import type { Answer, Harness, SeenReplica } from "@ctrlplane/conformance";
import { label } from "@ctrlplane/core/provider";
import type { Labels, Provider } from "@ctrlplane/core/provider";
import { connectEngine, unlessMissing, type EngineClient, type Endpoint } from "@ctrlplane/images";
import { removeAll } from "./conformance-cleanup.test.support.ts";
import { programImages, versionOf } from "./conformance-program.test.support.ts";
import { createDockerProvider } from "./provider.ts";

/** For `@ctrlplane/conformance`: an engine, seen through calls of its API that the provider does not make. */
export async function dockerHarness(endpoint: Endpoint, publicHost: string): Promise<Harness> {
  const engine = connectEngine(endpoint);
  // In seconds, as the engine tells when a container was made.
  const since = Math.floor(Date.now() / 1000) * 1000;
  const { engine: version } = await engine.version();
  const connected: EngineClient[] = [];
  const images = programImages(engine);
  /** Volumes that bear no label of the suite any more, or never did. */
  const foreign = new Set<string>();
  const connect = (at: Endpoint): Provider => {
    const own = connectEngine(at);
    connected.push(own);
    const provider = createDockerProvider({
      engine: own,
      publicHost,
      environment: { folder: "/nowhere", env: process.env },
    });
    return {
      ...provider,
      // The suite names a program in no time, and its image takes some.
      async identifyImage(asked, context) {
        await images.made();
        return provider.identifyImage(asked, context);
      },
    };
  };
  // The host's loopback is not ours.
  const address = endpoint.kind === "socket" ? { address: "127.0.0.1" } : {};
  const nowhere: Endpoint =
    endpoint.kind === "ssh" ? { ...endpoint, port: 1 } : { kind: "socket", path: "/nowhere/docker.sock" };
  return {
    name: "docker",
    provenBy: `Docker Engine ${version}, ${engine.description.split(":")[0] ?? ""}`,
    parallel: 4,
    connect: () => connect(endpoint),
    unreachable: () => connect(nowhere),
    program: (program, hostPort) => ({
      image: {
        kind: "reference",
        reference: program.kind === "missing" ? "node:24-slim" : images.nameOf(program),
      },
      ...(program.kind === "missing" ? { command: { args: ["/no/such/program", program.version] } } : {}),
      ports: [{ containerPort: 3000, hostPort, protocol: "http", ...address }],
    }),
    mountPath: "/data",
    commands: {
      print: (words) => ["printf", "%s\\n", words],
      exit: (code) => ["sh", "-c", `exit ${code}`],
      variable: (name) => ["node", "-p", "process.env[process.argv[1]]", name],
      copy: ["cat"],
    },
    ask: async (url) => {
      const isPublished = new URL(url).hostname === publicHost;
      const body = await (isPublished ? request(url) : requestInside(engine, url));
      // The program's own words.
      return body === undefined ? undefined : (JSON.parse(body) as Answer);
    },
    async look(name) {
      const replicas = await Promise.all((await containersOf(engine, name)).map((id) => seen(engine, id)));
      const records = await recordsOf(engine, name);
      if (replicas.length === 0 && records.length === 0) return undefined;
      const { [label.role]: _, ...labels } = records[0]?.Labels ?? replicas[0]?.labels ?? {};
      return { labels: withoutOwn(labels), replicas: replicas.filter((each) => each !== undefined) };
    },
    async writes(stack) {
      const filters = { label: [`${label.stack}=${stack}`] };
      const containers = await engine.json<readonly { Id: string; State: string; Names: string[] }[]>({
        method: "GET",
        path: "/containers/json",
        query: { all: true, filters },
      });
      const { Volumes } = await engine.json<{ Volumes: readonly { Name: string }[] | null }>({
        method: "GET",
        path: "/volumes",
        query: { filters },
      });
      const volumes = (Volumes ?? []).map((each) => each.Name);
      return [...containers.map((each) => `${each.Id} ${each.State} ${each.Names.join()}`), ...volumes.sort()];
    },
    async readVolume(name) {
      const path = `/volumes/${name}`;
      if ((await unlessMissing(engine.json({ method: "GET", path }))) === undefined) return undefined;
      return inVolume(engine, name, ["sh", "-c", "cat /v/kept 2>/dev/null || true"]);
    },
    async writeVolume(name, words) {
      foreign.add(name);
      await engine.json({ method: "POST", path: "/volumes/create", body: { Name: name } });
      await inVolume(engine, name, ["sh", "-c", `printf %s "$0" > /v/kept`, words]);
    },
    kill: (replica) => engine.json({ method: "POST", path: `/containers/${replica.id}/kill` }),
    remove: (replica) => engine.json({ method: "DELETE", path: `/containers/${replica.id}`, query: { force: true } }),
    async say(replica, line) {
      const { NetworkSettings } = await engine.json<{
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
      }>({
        method: "GET",
        path: `/containers/${replica.id}/json`,
      });
      const host = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? "";
      const connection = await engine.reach?.({ host, port: 3000 }, AbortSignal.timeout(5_000));
      if (connection === undefined) throw new Error("there is no way to containers of this engine");
      const said = await request(`http://${host}:3000/say?line=${encodeURIComponent(line)}`, connection);
      if (said === undefined) throw new Error(`${replica.name} does not listen`);
    },
    async relabel(name, labels) {
      for (const each of await recordsOf(engine, name)) foreign.add(each.Name);
      await relabel(engine, name, labels);
    },
    async close() {
      await removeAll(engine, since);
      const query = { force: true };
      for (const name of foreign)
        await unlessMissing(engine.json({ method: "DELETE", path: `/volumes/${name}`, query }));
      for (const each of [...connected, engine]) await each.close();
    },
  };
}

async function request(url: string, connection?: Duplex): Promise<string | undefined> {
  const way = connection === undefined ? { agent: false } : { createConnection: () => connection };
  const sent = get(url, { ...way, timeout: 5_000 });
  sent.on("timeout", () => sent.destroy());
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    return (response.statusCode ?? 500) < 400 ? body : undefined;
  } catch {
    // Refused or cut off: nobody answers.
    return undefined;
  }
}

/** Asked from a container beside the one that has the name: names are known in their network alone. */
async function requestInside(engine: EngineClient, url: string): Promise<string | undefined> {
  const { hostname } = new URL(url);
  const [id] = await containersOf(engine, hostname);
  if (id === undefined) return undefined;
  const { NetworkSettings } = await engine.json<{ NetworkSettings: { Networks: Record<string, object> } }>({
    method: "GET",
    path: `/containers/${id}/json`,
  });
  const [network = ""] = Object.keys(NetworkSettings.Networks);
  const said = await inContainer(engine, ["wget", "-q", "-O", "-", url], { NetworkMode: network });
  return said === "" ? undefined : said;
}

/** Those that a user would call replicas: what is kept for its log has ended for good, and is named so. */
async function containersOf(engine: EngineClient, name: string): Promise<readonly string[]> {
  const found = await engine.json<readonly { Id: string; Names: string[]; Labels: Labels }[]>({
    method: "GET",
    path: "/containers/json",
    query: { all: true },
  });
  return found
    .filter(({ Names, Labels }) => Labels[label.service] === name || Names.some((each) => isNamed(each, name)))
    .filter(({ Names, Labels }) => Labels[label.role] === undefined && !/\.old-[0-9a-f]{8}$/.test(Names[0] ?? ""))
    .map(({ Id }) => Id);
}

function isNamed(name: string, instance: string): boolean {
  return name === `/${instance}` || new RegExp(`^/${instance}-\\d+$`).test(name);
}

function recordsOf(engine: EngineClient, name: string): Promise<readonly { Name: string; Labels: Labels }[]> {
  const filters = { label: [`${label.service}=${name}`, `${label.role}=instance`] };
  return engine
    .json<{ Volumes: readonly { Name: string; Labels: Labels }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters },
    })
    .then(({ Volumes }) => Volumes ?? []);
}

/** Without those that say what a record is. */
function withoutOwn(labels: Labels): Labels {
  const own = /^pctl-(record|value|nonce|below-\d+)$/;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.test(name)));
}

async function seen(engine: EngineClient, id: string): Promise<SeenReplica | undefined> {
  const details = await unlessMissing(
    engine.json<{
      Id: string;
      Name: string;
      RestartCount: number;
      State: { Running: boolean; StartedAt: string };
      Config: { Labels: Labels; Cmd: string[] | null };
      HostConfig: { NanoCpus: number; Memory: number };
    }>({ method: "GET", path: `/containers/${id}/json` }),
  );
  if (details === undefined) return undefined;
  const { State, Config, HostConfig } = details;
  const wasStarted = !State.StartedAt.startsWith("0001");
  return {
    id,
    name: details.Name.slice(1),
    labels: Config.Labels,
    version: versionOf(Config.Cmd ?? []),
    isRunning: State.Running,
    starts: details.RestartCount + (wasStarted ? 1 : 0),
    limits: {
      ...(HostConfig.NanoCpus > 0 ? { cpuMillis: HostConfig.NanoCpus / 1e6 } : {}),
      ...(HostConfig.Memory > 0 ? { memoryMb: HostConfig.Memory / 1024 / 1024 } : {}),
    },
  };
}

/** What a command prints that has the volume at `/v`. */
function inVolume(engine: EngineClient, volume: string, command: readonly string[]): Promise<string> {
  return inContainer(engine, command, { Mounts: [{ Type: "volume", Source: volume, Target: "/v" }] });
}

async function inContainer(engine: EngineClient, command: readonly string[], HostConfig: object): Promise<string> {
  const body = { Image: "busybox:latest", Cmd: command, HostConfig };
  const { Id } = await engine.json<{ Id: string }>({ method: "POST", path: "/containers/create", body });
  try {
    await engine.json({ method: "POST", path: `/containers/${Id}/start` });
    await engine.json({ method: "POST", path: `/containers/${Id}/wait` });
    const logs = await engine.stream({ method: "GET", path: `/containers/${Id}/logs`, query: { stdout: true } });
    const chunks: Buffer[] = [];
    for await (const chunk of logs as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).subarray(8).toString("utf8");
  } finally {
    await engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
  }
}

/** Labels never change on this platform: the same things are made again, with others. */
async function relabel(engine: EngineClient, name: string, labels: Labels): Promise<void> {
  for (const { Name, Labels } of await recordsOf(engine, name)) {
    const own = Object.fromEntries(
      Object.entries(Labels).filter(([key]) => !(key in withoutOwn(Labels)) || key === label.role),
    );
    await engine.json({ method: "DELETE", path: `/volumes/${Name}` });
    await engine.json({ method: "POST", path: "/volumes/create", body: { Name, Labels: { ...own, ...labels } } });
  }
  for (const id of await containersOf(engine, name)) {
    const path = `/containers/${id}`;
    const { Name, Config, HostConfig, State } = await engine.json<{
      Name: string;
      Config: { Labels: Labels };
      HostConfig: object;
      State: { Running: boolean };
    }>({ method: "GET", path: `${path}/json` });
    await engine.json({ method: "DELETE", path, query: { force: true } });
    const body = { ...Config, Labels: labels, HostConfig };
    const query = { name: Name.slice(1) };
    const { Id } = await engine.json<{ Id: string }>({ method: "POST", path: "/containers/create", query, body });
    if (State.Running) await engine.json({ method: "POST", path: `/containers/${Id}/start` });
  }
}
