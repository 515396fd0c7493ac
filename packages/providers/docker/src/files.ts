import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import type { EngineClient } from "@ctrlplane/images";
import { putArchive } from "./put-archive.ts";

/** The files of a release lie in a container that has not been started yet. */
export async function putFiles(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  { revision }: Release,
  context: ProviderContext,
): Promise<void> {
  if (revision.files.length === 0) return;
  const files = revision.files.map(({ path, executable, contentBase64 }) => ({
    path: path.replace(/^\/+/, ""),
    content: Buffer.from(contentBase64, "base64"),
    ...(executable === true ? { mode: 0o755 } : {}),
  }));
  await putArchive(engine, container, files, context);
}
