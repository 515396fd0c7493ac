import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Clock } from "../provider/context.ts";
import { ensureCacheFolder } from "./cache-folder.ts";
import { syncFolder, writeNewFile } from "./durable-files.ts";
import { fileError, systemCode } from "./file-error.ts";
import { withProcessLock } from "./process-lock.ts";
import { word } from "./record-names.ts";
import { linkTarget, removeDrafts, replaceFile } from "./replace-file.ts";
import type { WriteNewFile } from "./replace-file.ts";
import { checkSerial } from "./serial.ts";
import { readStateText, writeStateText } from "./state-text.ts";
import type { StateText } from "./state-text.ts";
import type { StateDocument, StateStore } from "./store.ts";

/**
 * State documents as files `pctl.{stack}.json` in a folder, in the seed's format. Written to the disk and renamed, so that a reader finds
 * the old or the new one; two processes that write end with one `CONFLICT`. The last good copy lies in `.pctl/state/`, beside the file.
 * Messages name files relative to the working directory.
 */
export function fileStateStore(folder: string, options: { readonly write?: WriteNewFile } = {}): StateStore {
  const write = options.write ?? writeNewFile;
  return {
    async read(stack) {
      const path = statePath(folder, stack);
      return (await readState(path))?.document;
    },
    async write(stack, document, expectedSerial) {
      const path = await targetOf(statePath(folder, stack));
      await locked(path, stack, async () => {
        const before = await readState(path);
        checkSerial(stack, before?.document.serial, expectedSerial, document.serial);
        await save(path, before, document, write);
      });
    },
    async setAside(stack) {
      const path = await targetOf(statePath(folder, stack));
      return locked(path, stack, () => moveAway(path));
    },
    async list() {
      return listStacks(folder);
    },
  };
}

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

function statePath(folder: string, stack: string): string {
  const name = `pctl.${stack}.json`;
  if (stack === "" || basename(name) !== name || name.includes("\0")) {
    throw new CtrlPlaneError("INVALID", `not a name for a stack: ${JSON.stringify(stack)}`);
  }
  return join(folder, name);
}

async function readState(path: string): Promise<(StateText & { readonly text: string }) | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw fileError(error, "read the state file", shown(path));
  }
  const copy = copyPath(path);
  const way = existsSync(copy) ? `; the last good copy is ${shown(copy)}.` : ".";
  return { ...readStateText(text, shown(path), `Run \`pctl state rebuild\`${way}`), text };
}

async function save(
  path: string,
  before: Awaited<ReturnType<typeof readState>>,
  document: StateDocument,
  write: WriteNewFile,
): Promise<void> {
  const others = { others: before?.others ?? {}, ownOthers: before?.ownOthers ?? {} };
  try {
    if (before !== undefined) await replaceFile(copyPath(path), before.text, 0o600, write);
    await removeDrafts(path);
    await replaceFile(path, writeStateText({ document, ...others }), 0o644, write);
  } catch (error) {
    throw fileError(error, "write the state file", shown(path));
  }
}

async function moveAway(path: string): Promise<string | undefined> {
  const away = `${copyPath(path)}.${new Date().toISOString().replaceAll(":", "")}`;
  try {
    await rename(path, away);
    await syncFolder(dirname(path));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw fileError(error, "move away the state file", shown(path));
  }
  return shown(away);
}

async function targetOf(path: string): Promise<string> {
  try {
    return await linkTarget(path);
  } catch (error) {
    throw fileError(error, "find the state file", shown(path));
  }
}

/** Locks lie beside the file that a link names, so that all who reach it by whatever link share them. */
async function locked<T>(path: string, stack: string, work: () => Promise<T>): Promise<T> {
  const folder = join(await ensureCacheFolder(dirname(path)), "state");
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, "make the folder", shown(folder));
  }
  return withProcessLock(join(folder, "locks"), word(stack), systemClock, work);
}

async function listStacks(folder: string): Promise<readonly string[]> {
  try {
    const stacks = (await readdir(folder)).map((entry) => /^pctl\.(.+)\.json$/.exec(entry)?.[1]);
    return stacks.filter((stack) => stack !== undefined).sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    throw fileError(error, "list state files in", shown(folder));
  }
}

function copyPath(path: string): string {
  return join(dirname(path), ".pctl", "state", `${basename(path)}.bak`);
}

/** As a user would name it. */
function shown(path: string): string {
  const name = relative(process.cwd(), path);
  return name === "" || name.startsWith("..") ? path : name;
}
