import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connectEngine, isEngineError, type EngineClient, type Endpoint } from "@ctrlplane/images";
import type { DockerHost } from "../../test/engines/hosts.ts";

/** An engine that the benches of docker may use, and how both sides reach it. */
export interface Place {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Of the `docker` provider in `pctl.yaml`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What the bare client is told of it. */
  readonly bare: (folder: string) => Readonly<Record<string, unknown>>;
  /** Address at which ports are published. */
  readonly address: string;
}

/** What a process took. */
export interface Took {
  readonly wallMs: number;
  /** User and system. */
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly output: string;
}

export const socketPlace = (socket: string): Place => ({
  name: "docker",
  endpoint: { kind: "socket", path: socket },
  options: { socket },
  bare: () => ({ socket }),
  address: "127.0.0.1",
});

/** As a user of the host who may use the engine: the bare client has its socket forwarded. */
export function sshPlace({ address, key, hostKey }: DockerHost): Place {
  const user = "admin";
  return {
    name: "docker over SSH",
    endpoint: { kind: "ssh", host: address, user, key, hostKey, sudo: false },
    options: { host: address, user, key, hostKey },
    bare(folder) {
      const known = join(folder, "known_hosts");
      writeFileSync(known, `${address} ${hostKey}\n`);
      const words = ["-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${known}`, "-i", key, "-l", user, address];
      return { socket: join(folder, `forwarded-${Date.now()}.sock`), ssh: words, host: address };
    },
    address,
  };
}

/** A folder, a home, and an engine in which everything of one name goes in the end. */
export class Bed implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));
  readonly place: Place;
  /** Of the stack; everything that is made bears it. Another one after a `clear` that had to leave a network. */
  stack: string;
  readonly engine: EngineClient;
  readonly #pctl = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "pctl.js");

  constructor(place: Place, stack: string) {
    this.place = place;
    this.stack = stack;
    this.engine = connectEngine(place.endpoint);
    mkdirSync(join(this.folder, "home"));
  }

  /** `services`: lines of YAML. `options`: of the provider, instead of the place's own. */
  declare(services: readonly string[], options: Readonly<Record<string, unknown>> = this.place.options): void {
    const provider = `here: { type: docker, options: ${JSON.stringify(options)} }`;
    const head = `name: ${this.stack}\nprovider: here\nproviders: { ${provider} }\nservices:\n`;
    writeFileSync(join(this.folder, "pctl.yaml"), `${head}${services.map((each) => `  ${each}\n`).join("")}`);
  }

  /** The built `pctl`, to its end; throws where that is not 0. */
  async pctl(...words: readonly string[]): Promise<Took> {
    return this.#run("pctl", [this.#pctl, ...words]);
  }

  /** The bare client; `output` is the number of its calls. */
  async bare(work: Readonly<Record<string, unknown>>): Promise<Took> {
    const all = {
      network: `${this.stack}-network`,
      name: `${this.stack}-s`,
      labels: { "pctl-stack": this.stack },
      ...this.place.bare(this.folder),
      ...work,
    };
    return this.#run("the bare client", [join(import.meta.dirname, "bare.mjs"), JSON.stringify(all)]);
  }

  /** Any other program, e.g. docker compose: without its processor time. */
  async program(command: string, words: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    const startedAt = performance.now();
    await this.#spawn(command, command, words, env);
    return performance.now() - startedAt;
  }

  async #run(what: string, words: readonly string[]): Promise<Took> {
    const usage = join(this.folder, "usage.json");
    const word = `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(usage)}, JSON.stringify(process.resourceUsage())))`;
    const startedAt = performance.now();
    const output = await this.#spawn(
      what,
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(word)}`, ...words],
      {},
    );
    const wallMs = performance.now() - startedAt;
    // What the module above wrote.
    const used = JSON.parse(readFileSync(usage, "utf8")) as NodeJS.ResourceUsage;
    return { wallMs, cpuMs: (used.userCPUTime + used.systemCPUTime) / 1000, rssMb: used.maxRSS / 1024, output };
  }

  async #spawn(
    what: string,
    command: string,
    words: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<string> {
    const home = { HOME: join(this.folder, "home"), XDG_CACHE_HOME: "", XDG_DATA_HOME: "" };
    // Certificates named there would be read by each Node.
    const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
    const child = spawn(command, words, {
      cwd: this.folder,
      env: { ...inherited, ...home, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await once(child, "close")) as [number | null];
    const [output, errors] = await said;
    if (code !== 0) throw new Error(`${what} ended with ${code}: ${output.slice(-3000)}${errors.slice(-3000)}`);
    return output;
  }

  /** Containers, volumes and network of the stack are gone. The time of it is nobody's. */
  async clear(): Promise<void> {
    const query = { all: true, filters: { label: [`pctl-stack=${this.stack}`] } };
    const ask = <T>(path: string): Promise<T> => this.engine.json<T>({ method: "GET", path, query });
    const containers = await ask<readonly { Id: string }[]>("/containers/json");
    await this.#remove(containers.map(({ Id }) => `/containers/${Id}`));
    const { Volumes } = await ask<{ Volumes: readonly { Name: string }[] | null }>("/volumes");
    await this.#remove((Volumes ?? []).map(({ Name }) => `/volumes/${encodeURIComponent(Name)}`));
    const networks = await ask<readonly { Id: string }[]>("/networks");
    // The state file speaks of what is gone.
    rmSync(join(this.folder, `pctl.${this.stack}.json`), { force: true });
    try {
      await this.#remove(networks.map(({ Id }) => `/networks/${Id}`));
    } catch (error) {
      if (!isEngineError(error, 403)) throw error;
      // It counts anew when it is started again (moby/moby#42119).
      process.stdout.write(
        `the engine counts a container in the network of ${this.stack}, and there is none: it stays\n`,
      );
      this.stack += "-next";
    }
  }

  async #remove(paths: readonly string[]): Promise<void> {
    const waiting = [...paths];
    const take = async (): Promise<void> => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift())
        await this.engine.json({ method: "DELETE", path, query: { force: true, v: true } });
    };
    await Promise.all(Array.from({ length: 8 }, take));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
    await this.engine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
