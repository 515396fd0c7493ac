import { segment, type EngineClient } from "../engine/client.ts";
import { isEngineError, mapEngineError } from "../engine/errors.ts";
import { contentLabel, localTag } from "./built-image.ts";

/** An image of ours on an engine, as its list shows it. */
export interface KeptImage {
  readonly id: string;
  /** Of the content that it was built of, `sha256:…`. */
  readonly digest: string;
  readonly createdMs: number;
  readonly bytes: number;
}

/** What we built on this engine, for whatever stack; the newest first. */
export async function listBuilt(engine: EngineClient, signal?: AbortSignal): Promise<readonly KeptImage[]> {
  const filters = { label: ["managed-by=pctl", contentLabel] };
  const request = { method: "GET", path: "/images/json", query: { filters } } as const;
  try {
    const found = await engine.json<
      readonly {
        readonly Id: string;
        readonly Created: number;
        readonly Size: number;
        readonly Labels: Readonly<Record<string, string>> | null;
      }[]
    >({ ...request, ...(signal === undefined ? {} : { signal }) });
    return found
      .map(({ Id, Created, Size, Labels }) => {
        return { id: Id, digest: Labels?.[contentLabel] ?? "", createdMs: Created * 1000, bytes: Size };
      })
      .toSorted((a, b) => b.createdMs - a.createdMs);
  } catch (error) {
    throw mapEngineError(error, `listing images of ${engine.description}`);
  }
}

/**
 * Takes the name that we gave it from an image that `listBuilt` told; with its last name the image goes. Whether that name is gone now:
 * an image that a container uses keeps it. Who calls knows that no release needs the image.
 */
export async function removeBuilt(
  engine: EngineClient,
  image: Pick<KeptImage, "digest">,
  signal?: AbortSignal,
): Promise<boolean> {
  const tag = localTag(image.digest);
  const request = { method: "DELETE", path: `/images/${segment(tag)}` } as const;
  try {
    await engine.json({ ...request, ...(signal === undefined ? {} : { signal }) });
    return true;
  } catch (error) {
    if (isEngineError(error, 404)) return true;
    // A container uses it.
    if (isEngineError(error, 409)) return false;
    throw mapEngineError(error, `removing the image ${tag}`);
  }
}
