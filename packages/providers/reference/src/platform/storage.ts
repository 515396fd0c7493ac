import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "@ctrlplane/core/provider";
import type { PlatformState } from "../protocol.ts";
import { emptyPlatform, platformOf, type Platform } from "./platform.ts";

/** The platform of a folder, as it was when it was last saved. */
export function loadPlatform(folder: string): Platform {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = fileOf(folder);
  if (!existsSync(file)) return emptyPlatform(`reference_${newId("lin").slice(4)}`);
  // Nobody writes this file but `savePlatform`.
  return platformOf(JSON.parse(readFileSync(file, "utf8")) as PlatformState);
}

export function savePlatform(folder: string, { state }: Platform): void {
  const file = fileOf(folder);
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function fileOf(folder: string): string {
  return join(folder, "platform.json");
}
