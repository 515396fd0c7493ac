import { createHash } from "node:crypto";
import type { PinnedImage } from "./image.ts";
import type { Revision } from "./release.ts";
import type { FileMount, ServiceSpec } from "./spec.ts";

/** JSON with keys in UTF-16 order at every level and without undefined: one text for one value. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** What replicas run, taken from a spec and its pinned image. `fixed`: what `Provider.fixed` says of the spec. */
export function revisionOf(spec: ServiceSpec, image: PinnedImage, generation = 0, fixed?: Revision["fixed"]): Revision {
  const { replicas: _, ...resources } = spec.scale;
  const content = {
    ...(spec.entrypoint === undefined ? {} : { entrypoint: spec.entrypoint }),
    ...(spec.command === undefined ? {} : { command: spec.command }),
    env: spec.env,
    files: spec.files,
    volumes: spec.volumes,
    resources,
    ports: spec.ports.map(({ containerPort, protocol }) => ({ containerPort, protocol })),
    ...(fixed === undefined ? {} : { fixed }),
  };
  return { replicaHash: hashReplica(content, image), generation, image, ...content };
}

/** Must replicas be replaced? Paths of this machine, and the name by which the image was declared, do not count. */
function hashReplica(content: Omit<Revision, "replicaHash" | "generation" | "image">, image: PinnedImage): string {
  const files = content.files.map(identityOf);
  return sha256(canonicalJson({ v: 1, ...content, files, image: image.digest }));
}

/** Of a mounted file, wherever its source lies. */
function identityOf({ path, digest, executable }: FileMount): Pick<FileMount, "path" | "digest" | "executable"> {
  return { path, digest, ...(executable === true ? { executable } : {}) };
}

/** Has anything changed? Over all that was declared, with the image's digest in place of where it came from. */
export function specHash(spec: ServiceSpec, image: PinnedImage): string {
  const { image: _image, files, keep: _keep, formerly: _formerly, ...rest } = spec;
  const content = { ...rest, files: files.map(identityOf), image: image.digest };
  return `v1:${sha256(canonicalJson(content))}`;
}
