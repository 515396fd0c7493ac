import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { sha256 } from "../model/hash.ts";
import type { FileMount } from "../model/spec.ts";
import { errorCode } from "./env-files.ts";
import type { At } from "./at.ts";

const mostBytes = 2 ** 20;

export function readFileMounts(files: Readonly<Record<string, string>>, folder: string, at: At): FileMount[] {
  return Object.entries(files).flatMap(([path, declared]) => {
    const source = resolve(folder, declared);
    const found = readContent(source, declared, at.child(path));
    if (found === undefined) return [];
    const { content, isExecutable } = found;
    const executable = isExecutable ? ({ executable: true } as const) : {};
    return [{ path, source, digest: sha256(content), ...executable, contentBase64: content.toString("base64") }];
  });
}

interface Found {
  readonly content: Buffer;
  readonly isExecutable: boolean;
}

function readContent(source: string, declared: string, at: At): Found | undefined {
  try {
    const found = statSync(source);
    if (found.isDirectory())
      return at.problem({
        code: "file",
        summary: `${declared} is a folder`,
        hint: "Name each file; a folder belongs into the image.",
      });
    if (found.size > mostBytes)
      return at.problem({
        code: "file",
        summary: `${declared} has ${found.size} bytes, more than 1 MiB`,
        hint: "Put it into the image or a volume.",
      });
    return { content: readFileSync(source), isExecutable: (found.mode & 0o100) !== 0 };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      return at.problem({
        code: "file",
        summary: `${declared} does not exist`,
        hint: "Paths are relative to the configuration file.",
      });
    if (code === undefined) throw error;
    return at.problem({ code: "file", summary: `${declared} cannot be read (${code})` });
  }
}
