import type { EngineClient } from "../engine/client.ts";

/** An image of ours on an engine. */
export interface BuiltImage {
  /** The engine's id, `sha256:…`. */
  readonly id: string;
  /** Of the content that it was built of, `sha256:…`. */
  readonly digest: string;
  readonly tag: string;
  /** It was built before. */
  readonly wasThere: boolean;
}

/** Label with the hash of the content that an image was built of. */
export const contentLabel = "pctl-content";

/** Labels of images that we build. */
export function labelsOf(digest: string): Readonly<Record<string, string>> {
  return { "managed-by": "pctl", [contentLabel]: digest };
}

/** As pctl 1.1 names what it builds without a registry, with the content's hash in place of the time. */
export function localTag(digest: string): string {
  return `pctl-local:${digest.replace(/^sha256:/, "")}`;
}

/** Whether it is a name that no registry knows. */
export function isLocalTag(reference: string): boolean {
  return reference.startsWith("pctl-local:");
}

/**
 * The image that was built of this content, where the engine has it. One that lost its tag has it again. What others build on an image
 * of ours bears our labels as well, and is younger.
 */
export async function findBuilt(
  engine: EngineClient,
  digest: string,
  signal?: AbortSignal,
): Promise<BuiltImage | undefined> {
  const filters = { label: ["managed-by=pctl", `${contentLabel}=${digest}`] };
  const [repository, name] = localTag(digest).split(":");
  const tag = localTag(digest);
  const aborting = signal === undefined ? {} : { signal };
  const found = await engine.json<
    readonly { readonly Id: string; readonly Created: number; readonly RepoTags: readonly string[] | null }[]
  >({
    method: "GET",
    path: "/images/json",
    query: { filters },
    ...aborting,
  });
  const oldest = found.toSorted((a, b) => a.Created - b.Created)[0];
  const image = found.find((each) => each.RepoTags?.includes(tag) === true) ?? oldest;
  if (image === undefined) return undefined;
  if (image.RepoTags?.includes(tag) !== true) {
    const query = { repo: repository, tag: name };
    await engine.json({ method: "POST", path: `/images/${image.Id}/tag`, query, ...aborting });
  }
  return { id: image.Id, digest, tag, wasThere: true };
}
