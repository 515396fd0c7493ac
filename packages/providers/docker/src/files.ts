import type { ProviderContext, Release } from "@ctrlplane/core/provider";
import { mappedEngine, segment, tarOfFiles, type EngineClient } from "@ctrlplane/images";
import type { ContainerDetails } from "./engine-types.ts";

/** The files of a release lie in a container that has not been started. */
export async function putFiles(
  engine: EngineClient,
  { Id, State, Name }: ContainerDetails,
  { revision }: Release,
  context: ProviderContext,
): Promise<void> {
  if (revision.files.length === 0 || State.Status !== "created") return;
  const files = revision.files.map(({ path, contentBase64 }) => ({
    path: path.replace(/^\/+/, ""),
    content: Buffer.from(contentBase64, "base64"),
  }));
  context.fence.check();
  await mappedEngine(Name.slice(1), () =>
    engine.json({
      method: "PUT",
      path: `/containers/${segment(Id)}/archive`,
      query: { path: "/" },
      headers: { "Content-Type": "application/x-tar" },
      body: tarOfFiles(files),
      signal: context.signal,
    }),
  );
}
