import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { errorCode } from "./env-files.ts";
import type { Dropped } from "./legacy-shape.ts";
import { isContainer } from "./tree.ts";
import type { Tree } from "./tree.ts";

/**
 * pctl 1.1's fingerprint of a service, byte for byte: JSON of what is left of it without `provider` and without what
 * 1.1's schema dropped, keys sorted; behind it the MD5 of the Dockerfile's bytes where `image` begins with `./`; of both
 * the SHA-256. `folder` is that of the configuration. Undefined for a folder as image, which 1.1 could not read.
 */
export function fingerprint(service: Tree, dropped: Dropped, folder: string): string | undefined {
  const { provider: _, ...rest } = service;
  const own = dropped.get(service);
  const kept = own === undefined ? rest : Object.fromEntries(Object.entries(rest).filter(([key]) => !own.has(key)));
  const hash = createHash("sha256").update(JSON.stringify(sorted(kept, dropped)), "utf8");
  const { image } = service;
  if (typeof image === "string" && image.startsWith("./")) {
    const digest = fileDigest(resolve(folder, image));
    if (digest === "folder") return undefined;
    hash.update(digest);
  }
  return hash.digest("hex");
}

/** As `Object.keys(o).sort()` gives them; the new object then puts integer-like keys first, as 1.1's did. */
function sorted(value: unknown, dropped: Dropped): unknown {
  if (Array.isArray(value)) return value.map((each) => sorted(each, dropped));
  if (!isContainer(value)) return value;
  const left = dropped.get(value);
  const copy: Tree = {};
  for (const key of Object.keys(value).sort()) {
    if (left?.has(key) !== true) copy[key] = sorted((value as Tree)[key], dropped); // not a list, so a map
  }
  return copy;
}

function fileDigest(path: string): string {
  try {
    if (statSync(path).isDirectory()) return "folder";
    return createHash("md5").update(readFileSync(path)).digest("hex");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return "";
    throw error;
  }
}
