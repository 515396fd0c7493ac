import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { EngineClient } from "../engine/client.ts";
import { mapEngineError } from "../engine/errors.ts";
import { readMessages } from "../engine/messages.ts";
import type { BuildContext } from "../context/read-context.ts";
import type { FindLogin } from "../registry/logins.ts";
import { buildKitReader } from "./buildkit-reader.ts";
import { buildKitRequest, classicRequest, type BuildRequest, type BuildRequestParts } from "./build-request.ts";
import { classicReader } from "./classic-reader.ts";
import { buildError } from "./failure.ts";
import { findBuilt, labelsOf, localTag, type BuiltImage } from "./built-image.ts";
import type { BuildFailure, BuildMessage, BuildProgress, BuildReader } from "./progress.ts";
import { sharedWork, type SharedWork } from "./shared-work.ts";

export interface BuildOptions {
  /** Values of the secrets that the source names. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** For images that the Dockerfile names. Default: none. */
  readonly login?: FindLogin;
  /** Default: `buildkit` on Linux, which every engine since 18.09 has, `classic` elsewhere. */
  readonly builder?: "buildkit" | "classic";
  readonly onProgress?: (progress: BuildProgress) => void;
  readonly signal?: AbortSignal;
}

/** Builds of one engine that run at the moment, by content. */
const running = new WeakMap<EngineClient, SharedWork<BuiltImage, BuildProgress>>();

/**
 * The engine has an image of this content: found by its label, or built, labelled and tagged (`localTag`). Equal content is built
 * once, also for callers at the same time.
 * @throws `FAILED` with the step and its last lines where the build fails, `INVALID` where a secret has no value, `UNSUPPORTED` where the
 * builder lacks what is needed, `CONFLICT` where the context is not what was read.
 */
export async function buildImage(
  engine: EngineClient,
  context: BuildContext,
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const secrets = secretsFor(context, options.secrets ?? {});
  const builds = running.get(engine) ?? sharedWork<BuiltImage, BuildProgress>();
  running.set(engine, builds);
  const subject = `building ${context.source.declared}`;
  try {
    return await builds.run(
      context.digest,
      async (signal, onProgress) =>
        (await findBuilt(engine, context.digest, signal)) ??
        build(engine, context, { ...options, secrets, signal, onProgress }),
      options,
    );
  } catch (error) {
    throw mapEngineError(error, subject);
  }
}

async function build(
  engine: EngineClient,
  context: BuildContext,
  options: BuildOptions & Required<Pick<BuildOptions, "secrets" | "signal">>,
): Promise<BuiltImage> {
  const { digest } = context;
  const { secrets, signal } = options;
  const login = tolerant(options.login ?? (() => Promise.resolve(undefined)));
  const builder = options.builder ?? ((await engine.version()).os === "linux" ? "buildkit" : "classic");
  if (builder === "classic" && Object.keys(secrets).length > 0) {
    throw new CtrlPlaneError("UNSUPPORTED", `${context.source.declared} mounts secrets, which needs BuildKit`, {
      target: context.source.declared,
      hint: "Build it on an engine for Linux.",
    });
  }
  const tag = localTag(digest);
  const parts: BuildRequestParts = { context, tag, labels: labelsOf(digest), secrets, login: login.find, signal };
  const request = await (builder === "buildkit" ? buildKitRequest(engine, parts) : classicRequest(parts));
  try {
    const reader = builder === "buildkit" ? buildKitReader() : classicReader();
    const id = await follow(engine, request, reader, context, options.onProgress);
    return { id, digest, tag, wasThere: false };
  } catch (error) {
    if (isCtrlPlaneError(request.problem())) throw request.problem();
    const isMissingImage = isCtrlPlaneError(error) && error.failure?.verdict === "IMAGE_PULL";
    throw isMissingImage ? (login.problem() ?? error) : error;
  } finally {
    request.close();
  }
}

/** Id of the image, once it is made. */
async function follow(
  engine: EngineClient,
  { request }: BuildRequest,
  read: BuildReader,
  { source }: BuildContext,
  onProgress: BuildOptions["onProgress"],
): Promise<string> {
  const tails = new Map<string, string[]>();
  let imageId: string | undefined;
  let failure: BuildFailure | undefined;
  for await (const message of readMessages<BuildMessage>(await engine.stream(request), engine.description)) {
    const news = read(message);
    for (const each of news.progress) {
      if (each.kind === "output") keepLast(tails, each.step, each.text);
      onProgress?.(each);
    }
    imageId = news.imageId ?? imageId;
    failure = news.failure ?? failure;
  }
  if (failure !== undefined) throw buildError(failure, source.declared, tails.get(failure.step ?? "") ?? []);
  if (imageId !== undefined) return imageId;
  throw new CtrlPlaneError("UNAVAILABLE", `the engine ended the build of ${source.declared} without a result`, {
    target: source.declared,
    retryable: true,
    hint: "Is the engine being restarted? Run the same command again.",
  });
}

/** A login that cannot be found out (a helper that is missing) matters only where an image could not be had. */
function tolerant(find: FindLogin): { readonly find: FindLogin; problem(): CtrlPlaneError | undefined } {
  let problem: CtrlPlaneError | undefined;
  return {
    problem: () => problem,
    find: async (registry) => {
      try {
        return await find(registry);
      } catch (error) {
        if (!isCtrlPlaneError(error)) throw error;
        problem ??= error;
        return undefined;
      }
    },
  };
}

/** The last 20 lines of each step. */
function keepLast(tails: Map<string, string[]>, step: string, line: string): void {
  const tail = tails.get(step) ?? [];
  tails.set(step, tail);
  tail.push(line);
  if (tail.length > 20) tail.shift();
}

/** Only what the source names. */
function secretsFor(
  { source }: BuildContext,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const missing = source.secrets.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) {
    throw new CtrlPlaneError(
      "INVALID",
      `the build of ${source.declared} needs secrets without a value: ${missing.join(", ")}`,
      {
        target: source.declared,
        hint: "Set them in the environment or in .env.",
      },
    );
  }
  return Object.fromEntries(source.secrets.map((name) => [name, given[name] ?? ""]));
}
