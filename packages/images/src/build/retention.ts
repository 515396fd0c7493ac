import { segment, type EngineClient } from "../engine/client.ts";
import { isEngineError, mapEngineError, unlessMissing } from "../engine/errors.ts";
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
 * Takes the names that we gave it from the image that was built of this content: `pctl-local:…`, and that of its registry. With its last name the
 * image goes. False where a container uses it: then it keeps them all. Who calls knows that no release needs the image.
 */
export async function removeBuilt(
  engine: EngineClient,
  { digest }: Pick<KeptImage, "digest">,
  signal?: AbortSignal,
): Promise<boolean> {
  const aborting = signal === undefined ? {} : { signal };
  const list = <T>(path: string, filters: object): Promise<readonly T[]> =>
    engine.json({ method: "GET", path, query: { all: true, filters }, ...aborting });
  try {
    const label = ["managed-by=pctl", `${contentLabel}=${digest}`];
    const images = await list<{ readonly Id: string; readonly RepoTags: readonly string[] | null }>("/images/json", {
      label,
    });
    const named = images.map(({ Id, RepoTags }) => ({ id: Id, names: (RepoTags ?? []).filter(isOf(digest)) }));
    for (const { id, names } of named) {
      if (names.length === 0) continue;
      // One that ended, too: and while an image has other names, the engine would take this one all the same.
      if ((await list<object>("/containers/json", { ancestor: [id] })).length > 0) return false;
      for (const name of names) {
        const path = `/images/${segment(name)}`;
        await unlessMissing(engine.json({ method: "DELETE", path, ...aborting }));
      }
    }
    return true;
  } catch (error) {
    // A container came to use it.
    if (isEngineError(error, 409)) return false;
    throw mapEngineError(error, `removing the image ${localTag(digest)}`);
  }
}

/** Names with the content's hash as their tag, perhaps with a platform behind it. */
function isOf(digest: string): (name: string) => boolean {
  const hash = digest.replace(/^sha256:/, "");
  return (name) => new RegExp(`:${hash}(-[a-z0-9-]+)?$`).test(name);
}
