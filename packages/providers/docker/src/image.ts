import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type {
  BuildImageRequest,
  Fence,
  IdentifyImageRequest,
  InstanceIdentity,
  PinnedImage,
  ProviderContext,
  ProviderEnvironment,
  Release,
  ServiceSpec,
} from "@ctrlplane/core/provider";
import {
  buildSource,
  deliverImage,
  ensureImage,
  findLogin,
  identifyImage,
  isEngineError,
  localTag,
  mappedEngine,
  readContext,
  repositoryIn,
  type BuildContext,
  type DeliveryProgress,
  type EngineClient,
  type TransferProgress,
} from "@ctrlplane/images";
import { joinImageGroup } from "./image-groups.ts";
import { imageProgress } from "./image-progress.ts";
import type { ImageAccount } from "./kept-images.ts";

/** What is needed to know and to make the images of a stack. */
export type ImageParts = Pick<ProviderEnvironment, "folder" | "env">;

/** Images by reference are fetched by the engine; all others are built on one engine of the stack, and come from there or from their registry. */
export function engineImages(engine: EngineClient, kept: ImageAccount, { folder, env }: ImageParts) {
  /** Of a build context that was read for the plan: where its hashes are kept. */
  let cacheDir: string | undefined;
  const contextOf = async (spec: ServiceSpec, context: ProviderContext): Promise<BuildContext | undefined> => {
    const source = await buildSource(spec.image, folder);
    const options = { signal: context.signal, ...(cacheDir === undefined ? {} : { cacheDir }) };
    return source === undefined ? undefined : readContext(source, options);
  };

  const ensure = async (spec: ServiceSpec, image: PinnedImage, context: ProviderContext): Promise<void> => {
    const { signal } = context;
    const name = image.declared;
    const pulling = { login: loginOf(spec, env), signal, onProgress: tellPull(name, imageProgress(context)) };
    await mappedEngine(name, () => ensureImage(engine, image, pulling));
  };

  /** Images that a lease's holder saw on the engine, or had pulled: one of many services is looked for once. */
  const seen = new WeakMap<Fence, Map<string, Promise<void>>>();
  const ensureOnce = async (spec: ServiceSpec, image: PinnedImage, context: ProviderContext): Promise<void> => {
    const own = seen.get(context.fence) ?? new Map<string, Promise<void>>();
    seen.set(context.fence, own);
    const key = JSON.stringify([image, spec.registry]);
    const asked = own.get(key) ?? ensure(spec, image, context);
    own.set(key, asked);
    try {
      await asked;
    } catch (error) {
      own.delete(key);
      throw error;
    }
  };

  return {
    /**
     * What `make` makes of a release. Where the engine lacks the image meanwhile, as after a rollback to one that others removed, it is fetched once
     * more: `NOT_FOUND` where no registry knows it.
     */
    async having<T>({ spec, image }: Release, context: ProviderContext, make: () => Promise<T>): Promise<T> {
      try {
        return await make();
      } catch (error) {
        if (!isEngineError(error, 404) || !/no such image/i.test(error.message)) throw error;
        await ensure(spec, image, context);
        return make();
      }
    },

    async identify(request: IdentifyImageRequest, context: ProviderContext): Promise<PinnedImage> {
      const { spec, current, instance } = request;
      cacheDir = request.cacheDir;
      const group = joinImageGroup(instance.lineage, engine);
      if (spec.image.kind === "reference") {
        const { reference } = spec.image;
        // A tag is looked up again only on request: nothing is restarted because somebody moved it.
        if (current?.declared === reference) return current;
        return identifyImage(engine, reference, { login: loginOf(spec, env), signal: context.signal });
      }
      const read = await contextOf(spec, context);
      if (read === undefined) throw new Error("a build has a context");
      // Throws where that is no place for an image.
      repositoryOf(spec, instance);
      const { digest, bytes, files, source } = read;
      group.expect(engine, digest);
      return {
        digest,
        declared: source.declared,
        reference: localTag(digest),
        source: { context: source.declared, bytes, files, how: "build" },
      };
    },

    async build({ instance, spec, image }: BuildImageRequest, context: ProviderContext): Promise<PinnedImage> {
      if (spec.image.kind === "reference") {
        await ensureOnce(spec, image, context);
        return image;
      }
      const login = loginOf(spec, env);
      const { signal } = context;
      const read = await contextOf(spec, context);
      if (read?.digest !== image.digest) throw changed(image);
      await kept.mark(instance, image.digest, context);
      const repository = repositoryOf(spec, instance);
      const reference = await deliverImage(engine, read, {
        login,
        secrets: secretsOf(read.source.secrets, env),
        group: joinImageGroup(instance.lineage, engine),
        ...(repository === undefined ? {} : { repository }),
        signal,
        onProgress: imageProgress(context),
      });
      return { ...image, reference };
    },
  };
}

function loginOf({ registry }: ServiceSpec, env: ImageParts["env"]): ReturnType<typeof findLogin> {
  return findLogin(registry, env);
}

/** Where images of a stack are kept: one place for all of its services, so that equal content is there once. */
function repositoryOf({ registry }: ServiceSpec, { stack }: InstanceIdentity): string | undefined {
  return registry === undefined ? undefined : repositoryIn(registry, stack);
}

function secretsOf(names: readonly string[], env: ImageParts["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function tellPull(name: string, tell: (progress: DeliveryProgress) => void): (progress: TransferProgress) => void {
  return (each) => tell({ kind: "pull", name, ...each });
}

function changed(image: PinnedImage): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `${image.declared} is not what it was when the plan was made`, {
    target: image.declared,
    retryable: true,
    hint: "Run the same command again.",
  });
}

export type EngineImages = ReturnType<typeof engineImages>;
