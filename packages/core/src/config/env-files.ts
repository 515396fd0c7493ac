import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Problems } from "./problems.ts";

export interface EnvFileOptions {
  readonly cwd: string;
  readonly folder: string;
  readonly environment?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFiles?: readonly string[] | undefined;
}

/** Looks a secret up: environment, each `--env-file`, `.env.{environment}`, `.env`. Reads the files at the first need. */
export class SecretSource {
  readonly #options: EnvFileOptions;
  readonly #problems: Problems;
  #files: readonly Readonly<Record<string, string | undefined>>[] | undefined;

  constructor(options: EnvFileOptions, problems: Problems) {
    this.#options = options;
    this.#problems = problems;
  }

  find(name: string): string | undefined {
    const { env } = this.#options;
    const own = Object.hasOwn(env, name) ? env[name] : undefined;
    if (own !== undefined) return own;
    return this.load().find((file) => Object.hasOwn(file, name))?.[name];
  }

  load(): readonly Readonly<Record<string, string | undefined>>[] {
    this.#files ??= this.#read();
    return this.#files;
  }

  #read(): Readonly<Record<string, string | undefined>>[] {
    const { cwd, folder, environment, envFiles = [] } = this.#options;
    const named = envFiles.map((path) => ({
      path: isAbsolute(path) ? path : resolve(cwd, path),
      shown: path,
      named: true,
    }));
    const found = [...(environment === undefined ? [] : [`.env.${environment}`]), ".env"];
    const usual = found.map((name) => ({ path: join(folder, name), shown: name, named: false }));
    return [...named, ...usual].map((file) => this.#parse(file)).filter((file) => file !== undefined);
  }

  #parse(file: { path: string; shown: string; named: boolean }): Record<string, string | undefined> | undefined {
    try {
      return parseEnv(readFileSync(file.path, "utf8"));
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" && !file.named) return undefined;
      const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? String(error)})`;
      this.#problems.add([], {
        code: "env-file",
        summary: `the file ${file.shown} ${why}`,
        hint: file.named ? "Correct --env-file." : "Make it readable, or remove it.",
      });
      return undefined;
    }
  }
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
