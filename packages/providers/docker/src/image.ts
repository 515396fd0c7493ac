import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type {
  BuildImageRequest,
  IdentifyImageRequest,
  PinnedImage,
  ProviderContext,
  ProviderEnvironment,
  ServiceSpec,
} from "@ctrlplane/core/provider";
import {
  buildImage,
  buildSource,
  ensureImage,
  findLogin,
  identifyImage,
  localTag,
  mappedEngine,
  readContext,
  type BuildContext,
  type BuildProgress,
  type EngineClient,
} from "@ctrlplane/images";

/** What is needed to know and to make the images of a stack. */
export type ImageParts = Pick<ProviderEnvironment, "folder" | "env">;

/** Images by reference are fetched by the engine, all others built on it. */
export function engineImages(engine: EngineClient, { folder, env }: ImageParts) {
  /** Of a build context that was read for the plan: where its hashes are kept. */
  let cacheDir: string | undefined;
  const contextOf = async (spec: ServiceSpec, context: ProviderContext): Promise<BuildContext | undefined> => {
    const source = await buildSource(spec.image, folder);
    const options = { signal: context.signal, ...(cacheDir === undefined ? {} : { cacheDir }) };
    return source === undefined ? undefined : readContext(source, options);
  };

  return {
    async identify(request: IdentifyImageRequest, context: ProviderContext): Promise<PinnedImage> {
      const { spec, current } = request;
      cacheDir = request.cacheDir;
      if (spec.image.kind === "reference") {
        const { reference } = spec.image;
        // A tag is looked up again only on request: nothing is restarted because somebody moved it.
        if (current?.declared === reference) return current;
        return identifyImage(engine, reference, { login: loginOf(spec, env), signal: context.signal });
      }
      const read = await contextOf(spec, context);
      if (read === undefined) throw new Error("a build has a context");
      const { digest, bytes, files, source } = read;
      return {
        digest,
        declared: source.declared,
        reference: localTag(digest),
        source: { context: source.declared, bytes, files, how: "build" },
      };
    },

    async build({ spec, image }: BuildImageRequest, context: ProviderContext): Promise<PinnedImage> {
      const login = loginOf(spec, env);
      const { signal } = context;
      if (spec.image.kind === "reference") {
        await mappedEngine(image.declared, () => ensureImage(engine, image, { login, signal }));
        return image;
      }
      const read = await contextOf(spec, context);
      if (read?.digest !== image.digest) throw changed(image);
      const secrets = secretsOf(read.source.secrets, env);
      await buildImage(engine, read, { login, secrets, signal, onProgress: (each) => tell(each, context) });
      return image;
    },
  };
}

function loginOf({ registry }: ServiceSpec, env: ImageParts["env"]): ReturnType<typeof findLogin> {
  return findLogin(registry, env);
}

function secretsOf(names: readonly string[], env: ImageParts["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function tell(progress: BuildProgress, context: ProviderContext): void {
  if (progress.kind === "output") context.progress({ type: "build.progress", message: progress.text });
  else if (progress.state === "started") context.progress({ type: "build.progress", message: progress.step });
}

function changed(image: PinnedImage): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${image.declared} is not what it was when the plan was made`, {
    target: image.declared,
    retryable: true,
    hint: "Run the same command again.",
  });
}
