import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { once } from "node:events";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHarness, type Harness } from "./harness.ts";

export interface RunningPlatform {
  /** For the provider's option `socket`. */
  readonly socket: string;
  readonly pid: number;
  readonly harness: Harness;
  /** Ends its process; what is on the platform stays in its folder. */
  stop(): Promise<void>;
  /** As a power cut would. */
  kill(): Promise<void>;
}

/**
 * Starts the platform of a folder in a process of its own, which goes on when this one ends: whoever starts it ends it, with
 * `stop`. A second start of one folder, after the first has ended, goes on with what was there.
 */
export async function startReferencePlatform({ folder }: { readonly folder: string }): Promise<RunningPlatform> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const socket = socketOf(folder);
  const isSource = import.meta.url.endsWith(".ts");
  const main = fileURLToPath(new URL(`platform/main.${isSource ? "ts" : "js"}`, import.meta.url));
  const flags = isSource ? ["--conditions=source", "--disable-warning=ExperimentalWarning"] : [];
  const child = spawn(process.execPath, [...flags, main, folder, socket], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const isReady = await Promise.race([once(child.stdout, "data").then(() => true), ended.then(() => false)]);
  if (!isReady || child.pid === undefined) throw new Error("the reference platform ended before it was ready");
  child.stdout.destroy();
  child.unref();
  const { pid } = child;
  const harness = createHarness(socket);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await harness.close();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.kill(signal);
    await ended;
  };
  return { socket, pid, harness, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

/** In the folder; where that is too long for a socket's address, in the folder for temporary files. */
function socketOf(folder: string): string {
  const inside = join(folder, "platform.sock");
  if (Buffer.byteLength(inside) <= 100) return inside;
  return join(tmpdir(), `reference-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}.sock`);
}
