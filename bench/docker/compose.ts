import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { engineCache } from "../../test/engines/cache.ts";
import { command, image, parallel } from "./services.ts";

export interface Compose {
  /** How it is called. */
  readonly words: readonly string[];
  readonly version: string;
}

/** Docker compose; undefined where there is none. */
export function findCompose(): Compose | undefined {
  const candidates = [[join(engineCache("compose"), "docker-compose")], ["docker", "compose"], ["docker-compose"]];
  for (const words of candidates) {
    const [program = "", ...rest] = words;
    const { status, stdout } = spawnSync(program, [...rest, "version", "--short"], { encoding: "utf8" });
    if (status === 0) return { words, version: stdout.trim() };
  }
  return undefined;
}

/** The services of `declareServer`, as compose has them. */
export function composeFile(stack: string, services: number, firstPort: number): string {
  const labels = { "pctl-stack": stack };
  const each = Array.from({ length: services }, (_, index) => {
    const ports = [`127.0.0.1:${firstPort + index}:8080`];
    const logging = { driver: "json-file", options: { "max-size": "20m", "max-file": "5" } };
    const own = { image, command, environment: { VERSION: "1" }, ports, labels, logging };
    return [`s${index}`, { ...own, restart: "unless-stopped", stop_signal: "SIGKILL" }] as const;
  });
  // JSON is YAML.
  return JSON.stringify({ version: "3.8", services: Object.fromEntries(each), networks: { default: { labels } } });
}

/** As many at a time as the others, but for 1.29, which waits for itself for ever where it is limited. */
export function composeEnvironment(socket: string, version: string): Readonly<Record<string, string>> {
  const limit = version.startsWith("1.") ? {} : { COMPOSE_PARALLEL_LIMIT: String(parallel) };
  return { DOCKER_HOST: `unix://${socket}`, ...limit };
}
