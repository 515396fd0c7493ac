import type { RegistrySpec } from "@ctrlplane/core/provider";
import { segment, type EngineClient } from "../engine/client.ts";
import { mapEngineError } from "../engine/errors.ts";
import { parseReference, completeReference } from "./reference.ts";

/**
 * The name under which an image is pushed to a declared registry. A URL with a path is the repository itself, as in pctl 1.1; one that is
 * only a host gets `name` behind it, e.g. `shop`, in lower case as registries want it.
 * @throws `INVALID` where that is no name of an image.
 */
export function repositoryIn({ url }: Pick<RegistrySpec, "url">, name: string): string {
  const place = url.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const repository = place.includes("/") ? place : `${place}/${name.toLowerCase()}`;
  parseReference(repository);
  return repository;
}

/** The image has this name on the engine, too. `reference` has a tag and no digest. */
export async function tagImage(
  engine: EngineClient,
  image: string,
  reference: string,
  signal?: AbortSignal,
): Promise<void> {
  const { tag = "latest", ...place } = parseReference(reference);
  const repo = completeReference({ ...place, tag }).slice(0, -tag.length - 1);
  const aborting = signal === undefined ? {} : { signal };
  try {
    await engine.json({ method: "POST", path: `/images/${segment(image)}/tag`, query: { repo, tag }, ...aborting });
  } catch (error) {
    throw mapEngineError(error, `naming ${image} ${reference}`);
  }
}
