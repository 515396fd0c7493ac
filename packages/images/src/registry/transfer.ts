import { isCtrlPlaneError, type CtrlPlaneError } from "@ctrlplane/core/provider";
import { segment, type EngineClient, type EngineRequest } from "../engine/client.ts";
import { EngineError } from "../engine/errors.ts";
import { errorIn, readMessages } from "../engine/messages.ts";
import { mapRegistryError } from "./errors.ts";
import { headerOf, loginHeaders, type RegistryLogin } from "./login.ts";
import type { FindLogin } from "./logins.ts";
import { familiarName, parseReference } from "./reference.ts";
import { transferCounter, type TransferMessage, type TransferProgress } from "./transfer-progress.ts";

export interface TransferOptions {
  /** Default: no login. */
  readonly login?: FindLogin;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * The engine fetches an image from its registry, whether it has it or not. `platform` as `linux/arm64`, by default the engine's.
 * @throws `NOT_FOUND`, `UNAUTHORIZED`, `RATE_LIMITED` or `UNAVAILABLE` with the verdict `IMAGE_PULL`; `QUOTA` where its disk is full.
 */
export async function pullImage(
  engine: EngineClient,
  reference: string,
  options: TransferOptions & { readonly platform?: string } = {},
): Promise<void> {
  const parsed = parseReference(reference);
  const { platform } = options;
  // A digest goes where a tag goes.
  const query = { fromImage: familiarName(parsed), tag: parsed.digest ?? parsed.tag ?? "latest", platform };
  await withLogin(parsed.domain, options.login, async (headers) => {
    const request = { method: "POST", path: "/images/create", query, headers } as const;
    try {
      await transfer(engine, request, options);
    } catch (error) {
      throw mapRegistryError(error, `pulling ${reference}`, "IMAGE_PULL");
    }
  });
}

/**
 * The engine sends its image `reference`, a name with a tag, to the registry that the name says. Returns the digest by which that
 * registry knows it.
 * @throws `UNAUTHORIZED`, `NOT_FOUND` where the engine has no such image, `UNAVAILABLE`, `RATE_LIMITED`.
 */
export async function pushImage(
  engine: EngineClient,
  reference: string,
  options: TransferOptions = {},
): Promise<string> {
  const parsed = parseReference(reference);
  const query = { tag: parsed.tag ?? "latest" };
  const path = `/images/${segment(familiarName(parsed))}/push`;
  let digest: string | undefined;
  await withLogin(parsed.domain, options.login, async (headers) => {
    // Engines want the header of every push, also of one without a login.
    const all = { "X-Registry-Auth": headerOf({}), ...headers };
    try {
      digest = await transfer(engine, { method: "POST", path, query, headers: all }, options);
      if (digest === undefined) throw new EngineError(500, "the engine did not say under which digest it is there");
    } catch (error) {
      throw mapRegistryError(error, `pushing ${reference}`);
    }
  });
  return digest ?? "";
}

/**
 * Runs `work` with the headers of the login for a registry. A login that cannot be found out (a helper that is missing) is told
 * only where the registry wants one: most images are for everybody.
 */
export async function withLogin<T>(
  registry: string,
  find: FindLogin | undefined,
  work: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  let login: RegistryLogin | undefined;
  let problem: CtrlPlaneError | undefined;
  try {
    login = await find?.(registry);
  } catch (error) {
    if (!isCtrlPlaneError(error)) throw error;
    problem = error;
  }
  try {
    return await work(loginHeaders(login, registry));
  } catch (error) {
    const isRefused = isCtrlPlaneError(error) && (error.code === "UNAUTHORIZED" || error.code === "NOT_FOUND");
    throw isRefused && problem !== undefined ? problem : error;
  }
}

/** The digest that the engine told, which it does at the end of a push. */
async function transfer(
  engine: EngineClient,
  request: EngineRequest,
  { onProgress, signal }: TransferOptions,
): Promise<string | undefined> {
  const count = transferCounter();
  let digest: string | undefined;
  const answer = await engine.stream({ ...request, ...(signal === undefined ? {} : { signal }) });
  for await (const message of readMessages<TransferMessage>(answer, engine.description)) {
    const error = errorIn(message);
    if (error !== undefined) throw new EngineError(500, error);
    const progress = count(message);
    if (progress !== undefined) onProgress?.(progress);
    digest = message.aux?.Digest ?? digest;
  }
  return digest;
}
