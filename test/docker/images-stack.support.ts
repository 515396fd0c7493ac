import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { buildImage, buildSource, connectEngine, readContext, segment, type EngineClient } from "@ctrlplane/images";
import type { Event } from "@ctrlplane/core";
import { Project, type RunOptions } from "../e2e/fixture.ts";
import type { DockerHost } from "../engines/hosts.ts";
import { endpointOf } from "./reach.support.ts";

interface ImageSummary {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
}

/** A project with one service that is built, under a name of its own on every engine that it is given; all that it made is removed with it. */
export class ImageStack implements AsyncDisposable {
  readonly name = `img${randomBytes(4).toString("hex")}`;
  readonly project: Project;
  readonly engines: readonly EngineClient[];

  private constructor(project: Project, engines: readonly EngineClient[]) {
    this.project = project;
    this.engines = engines;
  }

  /** `engines`: closed with it. */
  static async create(...engines: readonly EngineClient[]): Promise<ImageStack> {
    return new ImageStack(await Project.create(), engines);
  }

  /** Content of `./web` that no other stack has; `more`: instructions before it is copied. */
  async content(word: string, more: readonly string[] = []): Promise<void> {
    const program = 'CMD ["sh", "-c", "trap exit TERM; cat /word; sleep 100000 & wait"]';
    const lines = ["FROM busybox", `LABEL ctrlplane-test=${this.name}`, ...more, "COPY word /word", program, ""];
    await this.project.write({ "web/Dockerfile": lines.join("\n"), "web/word": `${word} of ${this.name}\n` });
  }

  /** Runs `pctl` with `--json`, and returns its events. */
  async events(code: number, words: readonly string[], options: RunOptions = {}): Promise<readonly Event[]> {
    const said = await this.project.expect(code, [...words, "--json"], options);
    return said.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Event] : []));
  }

  /** The name of the image of that content, built by hand. */
  async build(engine: EngineClient): Promise<string> {
    const { folder } = this.project;
    const source = await buildSource({ kind: "path", path: join(folder, "web"), declared: "./web" }, folder);
    assert.ok(source !== undefined);
    return (await buildImage(engine, await readContext(source))).tag;
  }

  /** Names of this stack's images on an engine, sorted. */
  async images(engine: EngineClient): Promise<string[]> {
    return (await this.#images(engine)).flatMap(({ RepoTags }) => RepoTags ?? []).toSorted();
  }

  /** What containers of this stack that run or are to run were made of, by their names without the stack's. */
  async containers(engine: EngineClient): Promise<Readonly<Record<string, string>>> {
    const query = { all: true, filters: this.#filters };
    const found = await engine.json<readonly { Id: string; Names: string[] }[]>({
      method: "GET",
      path: "/containers/json",
      query,
    });
    const details = await Promise.all(
      found.map(({ Id }) =>
        engine.json<{ Name: string; Config: { Image: string } }>({ method: "GET", path: `/containers/${Id}/json` }),
      ),
    );
    const known = details.map(({ Name, Config }) => [Name.slice(this.name.length + 2), Config.Image] as const);
    return Object.fromEntries(
      known.filter(([name]) => !/\.old-[0-9a-f]{8}$/.test(name)).toSorted(([a], [b]) => a.localeCompare(b)),
    );
  }

  /** Roles of the volumes that are left of this stack. */
  async roles(engine: EngineClient): Promise<string[]> {
    const { Volumes } = await engine.json<{ Volumes: readonly { Labels: Record<string, string> }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: this.#filters },
    });
    return [...new Set((Volumes ?? []).map(({ Labels }) => Labels["pctl-role"] ?? "data"))].toSorted();
  }

  get #filters(): { readonly label: readonly string[] } {
    return { label: [`pctl-stack=${this.name}`] };
  }

  #images(engine: EngineClient): Promise<readonly ImageSummary[]> {
    const filters = { label: [`ctrlplane-test=${this.name}`] };
    return engine.json({ method: "GET", path: "/images/json", query: { filters } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.engines) await this.#clean(engine);
    await this.project[Symbol.asyncDispose]();
  }

  async #clean(engine: EngineClient): Promise<void> {
    const query = { all: true, filters: this.#filters };
    const left = await engine.json<readonly { Id: string }[]>({ method: "GET", path: "/containers/json", query });
    for (const { Id } of left)
      await engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
    const networks = await engine.json<readonly { Id: string }[]>({ method: "GET", path: "/networks", query });
    for (const { Id } of networks) await engine.json({ method: "DELETE", path: `/networks/${Id}` });
    const { Volumes } = await engine.json<{ Volumes: readonly { Name: string }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: this.#filters },
    });
    for (const { Name } of Volumes ?? []) await engine.json({ method: "DELETE", path: `/volumes/${Name}` });
    for (const { Id } of await this.#images(engine))
      await engine.json({ method: "DELETE", path: `/images/${segment(Id)}`, query: { force: true } });
    await engine.close();
  }
}

/** An engine of the tests by its socket. */
export function engineAt(socket: string | undefined): EngineClient {
  assert.ok(socket !== undefined);
  return connectEngine({ kind: "socket", path: socket });
}

/** A host's engine, for looking at it. */
export function engineOf(host: DockerHost): EngineClient {
  return connectEngine(endpointOf(host, "deploy"));
}

/** The options of a provider that reaches a host. */
export function optionsOf({ address, key, hostKey }: DockerHost): string {
  return `{ type: docker, options: { host: ${address}, user: deploy, key: ${key}, hostKey: "${hostKey}", sudo: true } }`;
}

/** Events about images, as `type message`. */
export function toldOfImages(events: readonly Event[]): string[] {
  return events.flatMap(({ type, message }) => (type.startsWith("build.") ? [`${type} ${message}`] : []));
}
