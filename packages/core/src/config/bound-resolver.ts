import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { errorCode } from "./env-files.ts";
import type { Resolver, ResolverContext } from "./resolver.ts";

/** A resolver as the evaluation calls it: each key once. */
export interface BoundResolver {
  readonly name: string;
  readonly secret: boolean;
  /** pctl 1.1's kind: gets the fallback and decides on it itself. */
  readonly takesFallback: boolean;
  call(key: string, fallback: unknown): Promise<unknown>;
}

export function bindResolver(resolver: Resolver, context: ResolverContext): BoundResolver {
  const answers = new Map<string, Promise<unknown>>();
  return {
    name: resolver.name,
    secret: resolver.secret === true,
    takesFallback: false,
    call(key) {
      let answer = answers.get(key);
      if (answer === undefined)
        answers.set(key, (answer = Promise.resolve().then(() => resolver.resolve(key, context))));
      return answer;
    },
  };
}

/** The function that a resolver class of pctl 1.1 returns from its constructor. */
export function bindNamedFunction(call: (key: string, fallback: unknown) => unknown, secret: boolean): BoundResolver {
  const answers = new Map<string, Promise<unknown>>();
  return {
    name: call.name,
    secret,
    takesFallback: true,
    call(key, fallback) {
      const question = JSON.stringify([key, fallback ?? null, fallback === undefined]);
      let answer = answers.get(question);
      if (answer === undefined) answers.set(question, (answer = Promise.resolve().then(() => call(key, fallback))));
      return answer;
    },
  };
}

/** `${env:NAME}`: set but empty is set. */
export const envResolver: Resolver = {
  name: "env",
  resolve: (key, { env }) => (Object.hasOwn(env, key) ? env[key] : undefined),
};

/** `${file:path}`: text of a file, relative to the configuration's folder, without its last line end. */
export const fileResolver: Resolver = {
  name: "file",
  async resolve(key, { folder }) {
    try {
      const bytes = await readFile(resolve(folder, key));
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (code === "EISDIR") throw new Error("it is a folder", { cause: error });
      if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") throw new Error("it is not UTF-8 text", { cause: error });
      throw error;
    }
  },
};
