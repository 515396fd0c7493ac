import { readFileSync } from "node:fs";

/** Version of this package. */
export function pctlVersion(): string {
  // Our own manifest, which always has a version; it stands beside `src` and `dist` alike.
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
