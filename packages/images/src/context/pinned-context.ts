import type { PinnedImage } from "@ctrlplane/core/provider";
import type { BuildContext } from "./read-context.ts";

/** What is to be built, as a plan knows it: by the hash of its content, before there is an image. */
export function pinnedContext({ digest, source, bytes, files }: BuildContext): PinnedImage {
  return { digest, declared: source.declared, source: { context: source.declared, bytes, files, how: "build" } };
}
