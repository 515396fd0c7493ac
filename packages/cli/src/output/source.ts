import { readFileSync } from "node:fs";
import type { ReadSource } from "./diagnostics.ts";

/** Reads a file that a diagnostic points into; a file that has gone or cannot be read shows no excerpt. */
export function sourceReader(): ReadSource {
  const known = new Map<string, string | undefined>();
  return (path) => {
    if (!known.has(path)) known.set(path, readIfThere(path));
    return known.get(path);
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // The diagnostic itself says what is wrong with the file; only its excerpt is missing.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
