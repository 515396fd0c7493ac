import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connectEngine, isEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { Project } from "../e2e/fixture.ts";

/** A service as a file of pctl 1.1 declares it. */
export interface OldService {
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly scale: {
    readonly replica: number | readonly [number, number];
    readonly cpu?: string;
    readonly memory?: string;
  };
  readonly ports?: readonly (number | string)[];
  readonly health?: { readonly interval: number; readonly command: string };
  readonly volumes?: readonly { readonly path: string }[];
}

export type OldServices = Readonly<Record<string, OldService>>;

interface Seen {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: string;
}

interface Details {
  readonly State: { readonly StartedAt: string };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string } };
}

interface Volumes {
  readonly Volumes: readonly { readonly Name: string }[] | null;
}

/** Answers with `WORD` and a file of each volume at 3000, and ends at once on SIGTERM. `ENDS`: it ends by itself. */
export const serverCommand = [
  "sh",
  "-c",
  `[ -n "$ENDS" ] && echo "no such table" && exit 4
trap 'exit 0' TERM
mkdir -p /www && echo "$WORD" > /www/index.html
[ -d /data ] && [ ! -e /data/first ] && echo "$HOSTNAME $WORD" > /data/first
httpd -f -p 3000 -h /www & wait`,
];

/**
 * A project whose services were deployed by pctl 1.1: containers and volumes as its `docker run` makes them, and its state file. To be
 * held by `await using`: all of the stack is removed in the end.
 */
export class OldStack implements AsyncDisposable {
  readonly name = `ctrlplane-takeover-${randomBytes(3).toString("hex")}`;
  readonly project: Project;
  readonly engine: EngineClient;
  /** As `provider.options` of every service. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly #images: string[] = [];
  #epoch = 1_710_000_000_000 + Math.floor(Math.random() * 1_000_000_000);

  private constructor(project: Project, engine: EngineClient, options: Readonly<Record<string, unknown>>) {
    this.project = project;
    this.engine = engine;
    this.options = options;
  }

  static async create(
    endpoint: Parameters<typeof connectEngine>[0],
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<OldStack> {
    const stack = new OldStack(await Project.create(), connectEngine(endpoint), options);
    await stack.project.write({
      Dockerfile: `FROM busybox\nCMD ${JSON.stringify(serverCommand)}\n`,
      // What 1.1 wrote into its working directory must not count as content.
      ".dockerignore": "*\n",
    });
    return stack;
  }

  /** An image by reference. */
  get worker(): string {
    return `${this.name}:worker`;
  }

  /** `pctl.yaml` declares these, as it did for 1.1. JSON is YAML. */
  async declare(services: OldServices): Promise<void> {
    const provider = { name: "docker", options: this.options };
    const all = Object.entries(services).map(([name, each]) => [name, { ...each, provider }]);
    const file = { name: this.name, services: Object.fromEntries(all) as unknown };
    await this.project.write({ "pctl.yaml": JSON.stringify(file, undefined, 2) });
  }

  /** What `pctl deploy` of 1.1 leaves, on the engine and in the working directory. */
  async deployed(services: OldServices): Promise<void> {
    const entries: Record<string, unknown> = {};
    for (const [service, declared] of Object.entries(services)) {
      const { replica } = declared.scale;
      const count = typeof replica === "number" ? replica : replica[1];
      const image = declared.image.startsWith("./")
        ? await this.image(`pctl-local:${(this.#epoch += 1)}`)
        : declared.image;
      await this.run(service, declared, { image, count });
      entries[`${this.name}-${service}`] = this.entry(service, declared, image, count);
    }
    await this.writeState({ ...(await this.state()), ...entries });
  }

  async state(): Promise<Record<string, Record<string, unknown>>> {
    if (!existsSync(this.#stateFile)) return {};
    return JSON.parse(await readFile(this.#stateFile, "utf8")) as Record<string, Record<string, unknown>>;
  }

  /** As it is written. */
  stateText(): Promise<string> {
    return readFile(this.#stateFile, "utf8");
  }

  async writeState(state: Readonly<Record<string, unknown>>): Promise<void> {
    await this.project.write({ [`pctl.${this.name}.json`]: JSON.stringify(state, undefined, 2) });
  }

  get #stateFile(): string {
    return join(this.project.folder, `pctl.${this.name}.json`);
  }

  entry(service: string, declared: OldService, image: string, replica: number): Readonly<Record<string, unknown>> {
    const { host = "local", user, key, sudo } = this.options;
    return {
      provider: "docker",
      ...JSON.parse(JSON.stringify({ host, user, key, sudo })),
      image,
      labels: this.labels(service),
      fingerprint: this.#fingerprint(declared),
      replica,
      hasPorts: (declared.ports ?? []).length > 0,
      pushedByPctl: declared.image.startsWith("./"),
    };
  }

  labels(service: string): Readonly<Record<string, string>> {
    return { "managed-by": "pctl", "pctl-stack": this.name, "pctl-service": `${this.name}-${service}` };
  }

  /** The containers of one service, by what `docker run` of 1.1 asks of the engine. */
  async run(service: string, declared: OldService, { image, count }: { image: string; count: number }): Promise<void> {
    const full = `${this.name}-${service}`;
    for (let ordinal = 1; ordinal <= count; ordinal += 1) {
      const name = count > 1 ? `${full}-${ordinal}` : full;
      const ports = (declared.ports ?? []).map((each) => String(each).split(":"));
      const bindings = ports.map(([host, inside = host]) => [`${inside}/tcp`, [{ HostIp: "", HostPort: host }]]);
      const { cpu, memory } = declared.scale;
      const { Id } = await this.engine.json<{ Id: string }>({
        method: "POST",
        path: "/containers/create",
        query: { name },
        body: {
          Image: image,
          Env: Object.entries(declared.env ?? {}).map(([key, value]) => `${key}=${value}`),
          Labels: this.labels(service),
          ExposedPorts: Object.fromEntries(bindings.map(([port]) => [port, {}])) as unknown,
          ...(declared.health === undefined
            ? {}
            : {
                Healthcheck: {
                  Test: ["CMD-SHELL", declared.health.command],
                  Interval: declared.health.interval * 1e9,
                  Retries: 3,
                },
              }),
          HostConfig: {
            Binds: (declared.volumes ?? []).map(({ path }) => `${name}-storage:${path}`),
            PortBindings: Object.fromEntries(bindings) as unknown,
            RestartPolicy: { Name: "unless-stopped" },
            ...(cpu === undefined ? {} : { NanoCpus: Number(cpu.replace("m", "e-3")) * 1e9 }),
            ...(memory === undefined ? {} : { Memory: Number(memory.replace("Mi", "")) * 1024 * 1024 }),
          },
        },
      });
      await this.engine.json({ method: "POST", path: `/containers/${Id}/start` });
    }
  }

  /** An image of this name whose command is the server. */
  async image(name: string): Promise<string> {
    const body = { Image: "busybox", Cmd: ["true"] };
    const { Id } = await this.engine.json<{ Id: string }>({ method: "POST", path: "/containers/create", body });
    const [repo = name, tag = "latest"] = name.split(":");
    const query = { container: Id, repo, tag, changes: `CMD ${JSON.stringify(serverCommand)}` };
    await this.engine.json({ method: "POST", path: "/commit", query, body: {} });
    await this.engine.json({ method: "DELETE", path: `/containers/${Id}` });
    this.#images.push(name);
    return name;
  }

  /** pctl 1.1's rule, written down once more. */
  #fingerprint(declared: OldService): string {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      );
    };
    const { health } = declared;
    const filled = health === undefined ? {} : { health: { ...health, retries: 3, onfailure: "restart" } };
    const text = JSON.stringify(sorted({ ...declared, ...filled }));
    const file = declared.image.startsWith("./") ? readFileSync(join(this.project.folder, declared.image)) : undefined;
    const digest = file === undefined ? "" : createHash("md5").update(file).digest("hex");
    return createHash("sha256")
      .update(text + digest)
      .digest("hex");
  }

  /** By the stack's label, without what is kept for its log: name → whether it is ours by its labels, and its state. */
  async containers(): Promise<Readonly<Record<string, string>>> {
    const found = await this.#find();
    const shown = found.map(({ Names, Labels, State }): [string, string] => {
      const name = (Names[0] ?? "").slice(`/${this.name}-`.length);
      return [name, `${Labels["pctl-lineage"] === undefined ? "1.1" : "ours"} ${State}`];
    });
    const named = shown.filter(([name]) => !/\.old-[0-9a-f]{8}$/.test(name));
    return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Name → id. */
  async ids(): Promise<Readonly<Record<string, string>>> {
    const found = await this.#find();
    const named = found.map(({ Id, Names }): [string, string] => [(Names[0] ?? "").slice(`/${this.name}-`.length), Id]);
    return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Of every container. */
  async details(): Promise<Readonly<Record<string, Details>>> {
    const found = Object.entries(await this.ids()).map(async ([name, id]): Promise<[string, Details]> => [
      name,
      await this.engine.json<Details>({ method: "GET", path: `/containers/${id}/json` }),
    ]);
    return Object.fromEntries(await Promise.all(found));
  }

  async removeByHand(name: string): Promise<void> {
    const path = `/containers/${this.name}-${name}`;
    await this.engine.json({ method: "DELETE", path, query: { force: true } });
  }

  async stopByHand(name: string): Promise<void> {
    await this.engine.json({ method: "POST", path: `/containers/${this.name}-${name}/stop` });
  }

  /** Names of what we keep on record of the stack. */
  async records(): Promise<string[]> {
    const query = { filters: { label: [`pctl-stack=${this.name}`] } };
    const found = await this.engine.json<Volumes>({ method: "GET", path: "/volumes", query });
    return (found.Volumes ?? []).map((each) => each.Name);
  }

  /** Every container with the stack's label. */
  #find(): Promise<readonly Seen[]> {
    const filters = { label: [`pctl-stack=${this.name}`] };
    return this.engine.json({ method: "GET", path: "/containers/json", query: { all: true, filters } });
  }

  /** Names of volumes with data. */
  async volumes(): Promise<string[]> {
    const query = { filters: { name: [this.name] } };
    const { Volumes } = await this.engine.json<Volumes>({ method: "GET", path: "/volumes", query });
    return (Volumes ?? []).map((each) => each.Name.slice(this.name.length + 1)).sort();
  }

  async hasImage(name: string): Promise<boolean> {
    try {
      await this.engine.json({ method: "GET", path: `/images/${name}/json` });
      return true;
    } catch (error) {
      if (isEngineError(error, 404)) return false;
      throw error;
    }
  }

  async ask(port: number, host = "127.0.0.1"): Promise<string> {
    const response = await fetch(`http://${host}:${port}/`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(response.status, 200);
    return (await response.text()).trim();
  }

  /** A file in a container, read through the engine. */
  async read(service: string, path: string): Promise<string> {
    return (await this.project.ok("exec", service, "--", "cat", path)).trim();
  }

  /** A file in a container of this name. */
  async readIn(name: string, path: string): Promise<string> {
    const archive = { method: "GET", path: `/containers/${this.name}-${name}/archive`, query: { path } } as const;
    const tar = Buffer.concat(await (await this.engine.stream(archive)).toArray());
    const size = Number.parseInt(tar.toString("utf8", 124, 135), 8);
    return tar.toString("utf8", 512, 512 + size).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { Id } of await this.#find())
      await this.engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
    const label = { label: [`pctl-stack=${this.name}`] };
    // Not by a prune, of which an engine carries out one at a time.
    const networks = { method: "GET", path: "/networks", query: { filters: label } } as const;
    for (const { Id } of await this.engine.json<readonly { readonly Id: string }[]>(networks))
      await this.engine.json({ method: "DELETE", path: `/networks/${Id}` });
    for (const filters of [label, { name: [this.name] }]) {
      const query = { filters };
      const found = await this.engine.json<Volumes>({ method: "GET", path: "/volumes", query });
      for (const { Name } of found.Volumes ?? [])
        await this.engine.json({ method: "DELETE", path: `/volumes/${segment(Name)}` });
    }
    for (const name of this.#images)
      await unlessMissing(this.engine.json({ method: "DELETE", path: `/images/${name}`, query: { force: true } }));
    await this.engine.close();
    await this.project[Symbol.asyncDispose]();
  }
}
