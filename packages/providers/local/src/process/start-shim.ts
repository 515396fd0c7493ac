import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import type { Duplex } from "node:stream";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { replicaFiles } from "../layout.ts";
import { shimFile } from "../programs.ts";
import type { ShimRecord } from "../supervisor/records.ts";
import { identify } from "./identity.ts";
import { writeJsonFile } from "./json-file.ts";

/** Four threads instead of seven, and a small young generation: the shim sleeps all its life. */
const smallNode = ["--v8-pool-size=0", "--single-threaded-gc", "--max-semi-space-size=1"];

export interface ShimRequest {
  /** Folder of the replica. */
  readonly folder: string;
  readonly run: number;
  readonly cwd: string;
  readonly command: readonly string[];
  /** Complete: nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  /** `cgroup.procs` files that the replica is born in, and those that the shim goes back to. */
  readonly groups: { readonly join: readonly string[]; readonly leave: readonly string[] };
}

export interface StartedShim {
  /** Resolves once `run.json` or `exit.json` of this run is written; rejects when the shim ended without either. */
  readonly started: Promise<void>;
  /** Resolves when the shim has ended. */
  readonly ended: Promise<void>;
}

/**
 * Starts a run of a replica. The shim gets the environment only after `shim.json` names it, and starts nothing before it has
 * all of it: whenever the supervisor dies, its successor knows of every shim that may have started something.
 */
export function startShim(request: ShimRequest): StartedShim {
  const files = replicaFiles(request.folder);
  rmSync(files.run, { force: true });
  rmSync(files.exit, { force: true });
  const { folder, run, cwd, command, env, groups } = request;
  const shim = spawn(
    process.execPath,
    [...smallNode, shimFile, folder, String(run), cwd, JSON.stringify(groups), ...command],
    // Its own environment is the inherited part: what the user set must not be read from a process of ours. Its own errors go to the supervisor's log.
    { cwd: "/", env: shimEnvironment(env), detached: true, stdio: ["ignore", "ignore", "inherit", "pipe"] },
  );
  shim.unref();
  const ended = new Promise<void>((resolve) => {
    shim.once("exit", () => resolve());
    shim.once("error", () => resolve());
  });
  // Descriptor 3 is a socket pair, so it goes both ways; node types it as the union of what a descriptor may be.
  const channel = shim.stdio[3] as Duplex;
  const started = awaitWord(channel, request);
  const identity = shim.pid === undefined ? undefined : identify(shim.pid);
  if (identity !== undefined) writeJsonFile(files.shim, { ...identity, run } satisfies ShimRecord);
  channel.end(identity === undefined ? "" : `${JSON.stringify(env)}\n`);
  return { started, ended };
}

function shimEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return env["PATH"] === undefined ? {} : { PATH: env["PATH"] };
}

function awaitWord(channel: Duplex, request: ShimRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    let told = false;
    channel.on("data", () => {
      told = true;
      resolve();
    });
    // A broken channel closes as well.
    channel.on("error", () => channel.destroy());
    channel.once("close", () => {
      if (told) return;
      const failure = new CtrlPlaneError("INTERNAL", `the shim of ${request.folder} ended before it started anything`, {
        hint: "supervisor.log in the data folder tells why.",
      });
      reject(failure);
    });
  });
}
