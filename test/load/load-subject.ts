import { readFile } from "node:fs/promises";

/** How one version replaces another. A canary goes through all of its steps. */
export type LoadStrategy = "rolling" | "blue_green" | "canary";

/** A service that was deployed with a provider, and what is done to it under load. Each call returns once its effect is true. */
export interface LoadSubject extends AsyncDisposable {
  /** Where clients reach it, on this machine. */
  readonly url: string;
  /** On two replicas, whatever the scale was. */
  deploy(version: string, strategy: LoadStrategy): Promise<void>;
  /** To the version before. */
  rollback(): Promise<void>;
  scale(replicas: number): Promise<void>;
}

export interface ServiceOptions {
  /** What it speaks. */
  readonly speaks: "http" | "tcp";
  /** What is in flight has so long at a replica that is retired. */
  readonly drainSeconds: number;
  /** Until a replica listens, and from SIGTERM to its end. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * A provider under the load rig; all else is the same for each. A further provider is a file that exports one of these under
 * the name `platform`, and a test file that calls `testLoad`.
 */
export interface LoadPlatform {
  readonly name: string;
  /** Serves `serverFiles` as `version` on two replicas, rolling. */
  start(version: string, options: ServiceOptions): Promise<LoadSubject>;
}

/** The programs to serve, by names of their files: `node {programOf}`, which listens on PORT and takes the rest of its settings from `serverEnv`. */
export async function serverFiles(): Promise<Record<string, string>> {
  const echo = "../../packages/providers/local/src/gateway/echo-web-socket.test.support.ts";
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), "utf8");
  const [main, tcp, webSocket] = await Promise.all([read("server-main.ts"), read("tcp-main.ts"), read(echo)]);
  return {
    "package.json": '{ "type": "module" }\n',
    "server-main.ts": main.replace(echo, "./echo-web-socket.ts"),
    "tcp-main.ts": tcp,
    "echo-web-socket.ts": webSocket,
  };
}

export function programOf({ speaks }: ServiceOptions): string {
  return speaks === "http" ? "server-main.ts" : "tcp-main.ts";
}

export function serverEnv(version: string, { startMs, endMs }: ServiceOptions): Record<string, string> {
  return { VERSION: version, START_MS: String(startMs), END_MS: String(endMs) };
}
