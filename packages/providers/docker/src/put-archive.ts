import type { ProviderContext } from "@ctrlplane/core/provider";
import { mappedEngine, segment, tarOfFiles, type EngineClient, type ExtraFile } from "@ctrlplane/images";

/** The files lie in the container, with paths relative to its root; running or not. */
export async function putArchive(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  files: readonly ExtraFile[],
  { fence, signal }: ProviderContext,
): Promise<void> {
  await fence.check();
  await mappedEngine(container.name, () =>
    engine.json({
      method: "PUT",
      path: `/containers/${segment(container.id)}/archive`,
      query: { path: "/" },
      headers: { "Content-Type": "application/x-tar" },
      body: tarOfFiles(files),
      signal,
    }),
  );
}
