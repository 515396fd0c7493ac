import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { basename, delimiter, isAbsolute, normalize, resolve } from "node:path";
import type { CtrlPlaneError, ServiceSpec } from "@ctrlplane/core/provider";
import { errnoOf, mapError } from "./errors.ts";
import type { FolderContent } from "./folder.ts";
import { invalidSpec } from "./invalid-spec.ts";

interface CommandRequest {
  readonly spec: ServiceSpec;
  readonly content: FolderContent;
  /** Folder that the content was read from. */
  readonly root: string;
  /** Set where the image is one file of it. */
  readonly single?: string;
  /** PATH of the replicas; relative folders in it are relative to their working folder. */
  readonly path: string;
}

/** A command that cannot be run is found before anything is touched, wherever it can be. @throws `INVALID` */
export async function requireCommand({ spec, content, root, single, path }: CommandRequest): Promise<void> {
  const program = programOf(spec, single);
  if (program === undefined) {
    if (spec.command === undefined) throw withoutCommand();
  } else if (isAbsolute(program)) await requireExecutable(program);
  else if (program.includes("/")) requireInContent(program, spec, content);
  else await requireOnPath(program, root, path);
}

/** First word of what will be executed; undefined where a shell or nothing is named. */
function programOf(spec: ServiceSpec, single: string | undefined): string | undefined {
  const [entrypoint] = spec.entrypoint ?? [];
  if (entrypoint !== undefined) return entrypoint;
  if (spec.command === undefined) return single === undefined ? undefined : `./${single}`;
  return "args" in spec.command ? spec.command.args[0] : undefined;
}

function requireInContent(program: string, spec: ServiceSpec, content: FolderContent): void {
  const path = normalize(program);
  const isBelow = (folder: string) => path === folder || path.startsWith(`${folder}/`);
  const mounts = [...spec.volumes, ...spec.files].map((mount) => normalize(mount.path).replace(/\/$/, ""));
  // Where links and mounts lead is not known from here.
  const links = content.entries.filter((each) => each.kind === "link").map((each) => each.path);
  if ([...mounts, ...links].some(isBelow)) return;
  const entry = content.entries.find((each) => each.path === path);
  if (entry === undefined) {
    throw invalidCommand(
      "command-not-found",
      `the command ${program} is not in the image`,
      "Paths in `command` are relative to the image's folder.",
    );
  }
  if (entry.kind === "folder") {
    throw invalidCommand("command-not-executable", `the command ${program} is a folder`, "Name a file in it.");
  }
  if (entry.kind === "file" && (entry.mode & 0o111) === 0) throw notExecutable(program);
}

async function requireExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch (error) {
    if (errnoOf(error) === "EACCES") throw notExecutable(program);
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw mapError(error, program);
    throw invalidCommand(
      "command-not-found",
      `the command ${program} does not exist on this machine`,
      "Install it, or correct the path.",
    );
  }
}

async function requireOnPath(program: string, root: string, path: string): Promise<void> {
  for (const folder of path.split(delimiter)) {
    const found = await access(resolve(root, folder, program), constants.X_OK).then(
      () => true,
      // Whatever hides it here, the next folder may have it.
      () => false,
    );
    if (found) return;
  }
  const hint = `Install it, or write \`./${program}\` for a file of the image.`;
  throw invalidCommand("command-not-found", `the command ${program} is not on this machine`, hint);
}

function withoutCommand(): CtrlPlaneError {
  const hint = "Add a `command`, e.g. `command: [node, server.js]`.";
  return invalidCommand("command-required", "the image is a folder, and nothing says what to run in it", hint);
}

function notExecutable(program: string): CtrlPlaneError {
  const hint = `Run \`chmod +x\` on it, or name its interpreter, e.g. \`command: [node, ${basename(program)}]\`.`;
  return invalidCommand("command-not-executable", `the command ${program} is not executable`, hint);
}

function invalidCommand(code: string, summary: string, hint: string): CtrlPlaneError {
  return invalidSpec(code, summary, hint, "command");
}
