import { posix } from "node:path";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { TarEntry } from "./tar-entries.ts";

/** Of `manifest.json` in a saved image: its layers, bottom first. */
export interface SavedManifest {
  readonly Layers: readonly string[];
}

/** How many layers, from the bottom, are also the bottom of an image that is there: what two images share is always that. */
export function sharedLayers(layers: readonly string[], others: readonly (readonly string[])[]): number {
  const counts = others.map((other) => {
    const end = layers.findIndex((layer, index) => layer !== other[index]);
    return end < 0 ? layers.length : end;
  });
  return Math.max(0, ...counts);
}

/** Paths in the stream of engine 25 and newer that need not travel: layers are named by the hash of what is in them. */
export function leftOutByHash(layers: readonly string[], shared: number): ReadonlySet<string> {
  const needed = new Set(layers.slice(shared));
  const spare = layers.slice(0, shared).filter((layer) => !needed.has(layer));
  return new Set(spare.map((layer) => `blobs/${layer.replace(":", "/")}`));
}

/**
 * The same for older engines, whose names say nothing: by the manifest, which comes last. A layer that is in an image twice is
 * a link the second time; what a link that is needed points to is needed as well.
 */
export function leftOutByManifest(
  manifest: readonly SavedManifest[],
  links: readonly TarEntry[],
  shared: number,
): ReadonlySet<string> {
  const [image] = manifest;
  if (image === undefined || manifest.length !== 1)
    throw new CtrlPlaneError("INTERNAL", "a saved image has no manifest");
  const targets = new Map(links.map(({ path, linkpath = "" }) => [path, posix.join(posix.dirname(path), linkpath)]));
  const needed = new Set(image.Layers.slice(shared).map((path) => targets.get(path) ?? path));
  return new Set(image.Layers.slice(0, shared).filter((path) => !needed.has(path)));
}
