import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { BuildImageRequest, IdentifyImageRequest, PinnedImage, ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";

interface ImageAnswer {
  readonly Id: string;
}

/** Images that the engine has already, by reference. */
export function engineImages(engine: EngineClient) {
  const find = (reference: string, { signal }: ProviderContext): Promise<ImageAnswer | undefined> =>
    mappedEngine(reference, () =>
      unlessMissing(engine.json<ImageAnswer>({ method: "GET", path: `/images/${segment(reference)}/json`, signal })),
    );
  return {
    async identify({ spec, current }: IdentifyImageRequest, context: ProviderContext): Promise<PinnedImage> {
      const reference = requireReference(spec.image);
      if (current?.declared === reference) return current;
      const found = await find(reference, context);
      if (found === undefined) throw missing(reference);
      return { digest: found.Id, declared: reference, reference: found.Id };
    },
    async build({ image }: BuildImageRequest, context: ProviderContext): Promise<PinnedImage> {
      if ((await find(image.reference ?? image.digest, context)) !== undefined) return image;
      throw missing(image.declared);
    },
  };
}

function requireReference(image: IdentifyImageRequest["spec"]["image"]): string {
  if (image.kind === "reference") return image.reference;
  throw new CtrlPlaneError("UNSUPPORTED", "images are not built yet", { hint: "Name an image that the engine has." });
}

function missing(reference: string): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", `the engine has no image ${reference}`, {
    target: reference,
    hint: "Check the spelling.",
  });
}
