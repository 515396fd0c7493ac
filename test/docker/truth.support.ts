import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Plan, PlanAction } from "@ctrlplane/core";
import { connectEngine, segment, type EngineClient } from "@ctrlplane/images";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { removeStack } from "../engines/remains.ts";
import { freePort } from "../free-port.ts";

export const socket = await dockerSocket();
export const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 900_000 };

/** What `POST /containers/create` takes, as far as tests change it. */
export interface Body {
  Image: string;
  Env: string[];
  Labels: Record<string, string>;
  HostConfig: { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> };
}

interface Seen {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
}

/** A stack of the tests on the shared engine, under a name of its own, with hands behind pctl's back. To be held by `await using`. */
export class Truth implements AsyncDisposable {
  readonly name = `truth${randomBytes(4).toString("hex")}`;
  readonly project: Project;
  readonly engine: EngineClient;
  /** Of `web`, behind a gateway. */
  readonly port: number;
  /** Of `solo`, which publishes it itself. */
  readonly soloPort: number;

  private constructor(project: Project, engine: EngineClient, soloPort: number) {
    this.project = project;
    this.engine = engine;
    this.port = project.port;
    this.soloPort = soloPort;
  }

  /** `services`: as YAML, below `services:`, with this port; by default `web`, `solo` and `many`. */
  static async create(services?: (port: number) => string): Promise<Truth> {
    assert.ok(socket !== undefined);
    const truth = new Truth(await Project.create(), connectEngine({ kind: "socket", path: socket }), await freePort());
    await truth.declare(services?.(truth.port) ?? truth.services());
    return truth;
  }

  declare(services: string): Promise<void> {
    return this.project.write({
      "pctl.yaml": `
name: ${this.name}
provider: here
providers: { here: { type: docker, options: { socket: ${socket} } } }
services:
${services}`,
    });
  }

  services(web = ""): string {
    const served = (word: string): string =>
      `command: [sh, -c, "trap 'exit 0' TERM; mkdir -p /www; echo ${word} > /www/index.html; httpd -p 8080 -h /www; sleep 100000 & wait"]`;
    return `
  web:
    image: busybox
    ${served("web")}
    scale: { replica: 2, memory: 64Mi }
    ports: ["127.0.0.1:${this.port}:8080"]
    env: { WORD: "as declared" }
    ${web}
  solo:
    image: busybox
    ${served("solo")}
    strategy: recreate
    ports: ["127.0.0.1:${this.soloPort}:8080"]
    volumes: [{ path: /data }]
  many:
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
    scale: { replica: [1, 2] }
`;
  }

  /** The action of each service, by its name. */
  async plan(...words: string[]): Promise<Map<string, PlanAction>> {
    const plan = JSON.parse(await this.project.ok("plan", "--json", ...words)) as Plan; // what `--json` promises
    return new Map(plan.actions.map((each) => [each.instance.service, each]));
  }

  async ask(port: number): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(10_000),
    });
    return (await response.text()).trim();
  }

  /** Ids of containers that are not kept for their logs alone, by name without the stack's. */
  async containers(): Promise<Map<string, string>> {
    const filters = { label: [`pctl-stack=${this.name}`] };
    const found = await this.engine.json<readonly Seen[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters },
    });
    const named = found.map(({ Id, Names }): [string, string] => [(Names[0] ?? "").slice(this.name.length + 2), Id]);
    return new Map(named.filter(([name]) => !/\.old-[0-9a-f]{8}$/.test(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** `{kind}/{name}` of all on the engine that bears the stack's label or a name of it: containers, networks, volumes. */
  async left(): Promise<string[]> {
    const filters = { label: [`pctl-stack=${this.name}`] };
    const ask = <T>(path: string): Promise<T> =>
      this.engine.json<T>({ method: "GET", path, query: { all: true, filters } });
    const containers = await ask<readonly Seen[]>("/containers/json");
    const networks = await ask<readonly { readonly Name: string }[]>("/networks");
    const { Volumes } = await ask<{ readonly Volumes: readonly { readonly Name: string }[] | null }>("/volumes");
    return [
      ...containers.map(({ Names }) => `container${Names[0] ?? ""}`),
      ...networks.map(({ Name }) => `network/${Name}`),
      ...(Volumes ?? []).map(({ Name }) => `volume/${Name}`),
    ].sort();
  }

  /** A call about one container of the stack: `POST`, its name, the rest of the path. */
  call(method: "POST" | "DELETE", container: string, rest = "", body?: object): Promise<unknown> {
    const path = `/containers/${segment(`${this.name}-${container}`)}${rest}`;
    return this.engine.json({ method, path, ...(body === undefined ? {} : { body }) });
  }

  async inspect(container: string): Promise<{ Config: Body; HostConfig: Body["HostConfig"] & { Memory: number } }> {
    const path = `/containers/${segment(`${this.name}-${container}`)}/json`;
    return this.engine.json({ method: "GET", path });
  }

  /** What somebody does by hand: the container is removed and made again, changed. `as`: under another name, and the old one stays. */
  async remake(container: string, change: (body: Body) => void, as?: string): Promise<void> {
    const { Config, HostConfig } = await this.inspect(container);
    const body = { ...Config, HostConfig: { ...HostConfig } };
    change(body);
    if (as === undefined) await this.call("DELETE", container, "?force=true");
    await this.make(as ?? container, body);
  }

  /** Containers that are kept for their logs are gone. */
  async removeKept(service: string): Promise<void> {
    const filters = { label: [`pctl-service=${this.name}-${service}`], status: ["exited"] };
    const query = { all: true, filters };
    const found = await this.engine.json<readonly Seen[]>({ method: "GET", path: "/containers/json", query });
    for (const { Id } of found) await this.engine.json({ method: "DELETE", path: `/containers/${Id}` });
  }

  private async make(container: string, body: object): Promise<void> {
    const query = { name: `${this.name}-${container}` };
    const network = { [`${this.name}-network`]: {} };
    await this.engine.json({
      method: "POST",
      path: "/containers/create",
      query,
      body: { NetworkingConfig: { EndpointsConfig: network }, ...body },
    });
    await this.call("POST", container, "/start");
  }

  /** Every record in a volume is gone: what `docker volume prune` does on engines before 23. */
  async prune(): Promise<void> {
    const filters = { label: [`pctl-stack=${this.name}`, "pctl-role"] };
    const { Volumes } = await this.engine.json<{ readonly Volumes: readonly { readonly Name: string }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters },
    });
    for (const { Name } of Volumes ?? [])
      await this.engine.json({ method: "DELETE", path: `/volumes/${segment(Name)}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert.ok(socket !== undefined);
    await removeStack({ kind: "socket", path: socket }, this.name);
    await this.engine.close();
    await this.project[Symbol.asyncDispose]();
  }
}
