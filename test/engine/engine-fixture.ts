import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createControlPlane,
  createRedactor,
  createSealer,
  fileStateStore,
  hasErrors,
  parseStack,
  type Change,
  type ControlPlane,
  type Event,
  type Provider,
  type Run,
  type Stack,
} from "@ctrlplane/core";
import { provider as reference, startReferencePlatform, type RunningPlatform } from "@ctrlplane/provider-reference";

/** An engine over the reference platform, in a folder of its own. */
export interface Bench {
  readonly folder: string;
  readonly platform: RunningPlatform;
  readonly plane: ControlPlane;
  /** Calls of providers so far, in their order. */
  readonly calls: string[];
  /** A stack from services written as in `pctl.yaml`; `others`: sockets of further providers, by name. */
  stack(services: string, others?: Readonly<Record<string, string>>): Promise<Stack>;
  /** A second platform; it ends with the bench. */
  otherPlatform(): Promise<RunningPlatform>;
  /** A second control plane, as a colleague with an empty checkout has it; `key`: with another key than the first. */
  otherPlane(key?: number): ControlPlane;
}

export async function withBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "engine-"));
  const platform = await startReferencePlatform({ folder: join(folder, "platform") });
  const calls: string[] = [];
  const plane = makePlane(folder, platform.socket, (call) => calls.push(call));
  const planes = [plane];
  const platforms = [platform];
  try {
    await body({
      folder,
      platform,
      plane,
      calls,
      stack: (services, others) => parse(folder, platform.socket, services, others),
      otherPlatform: async () => {
        const other = await startReferencePlatform({ folder: join(folder, `platform-${platforms.length}`) });
        platforms.push(other);
        return other;
      },
      otherPlane: (key) => {
        const other = makePlane(join(folder, `other-${planes.length}`), platform.socket, () => undefined, key);
        planes.push(other);
        return other;
      },
    });
  } finally {
    for (const each of planes) await each.close();
    for (const each of platforms) await each.stop();
    await rm(folder, { recursive: true });
  }
}

export function makePlane(
  folder: string,
  socket: string,
  audit: (call: string) => void,
  key = 7,
  through: (provider: Provider) => Provider = (provider) => provider,
): ControlPlane {
  return createControlPlane({
    resolveProvider: (declaration) =>
      Promise.resolve(
        through(reference.create({ socket, ...declaration.options }, { name: declaration.name, folder, env: {} })),
      ),
    store: fileStateStore(folder),
    sealer: createSealer(Buffer.alloc(32, key)),
    redactor: createRedactor(),
    cacheDir: join(folder, ".pctl"),
    actor: { user: "ada", host: "bench", pid: process.pid },
    audit,
  });
}

export async function parse(
  folder: string,
  socket: string,
  services: string,
  others: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const providers = Object.entries({ ref: socket, ...others }).map(
    ([name, at]) => `${name}: { type: reference, options: { socket: ${JSON.stringify(at)} } }`,
  );
  const text = [
    "name: shop",
    "provider: ref",
    `providers: { ${providers.join(", ")} }`,
    services.trim() === "{}" ? "services: {}" : `services:\n${services}`,
  ].join("\n");
  const parsed = await parseStack(text, {
    cwd: folder,
    env: {},
    redactor: createRedactor(),
    purpose: "deploy",
    providerTypes: [{ type: "reference" }],
  });
  if (parsed.stack === undefined || hasErrors(parsed.diagnostics))
    throw new Error(JSON.stringify(parsed.diagnostics, null, 1));
  return parsed.stack;
}

/** The end of a run, with all its events. */
export async function finish(
  run: Promise<Run<Change>>,
): Promise<{ change: Change; events: Event[]; exitCode: number | undefined }> {
  const { events, done } = await run;
  const [change, all] = await Promise.all([done, Array.fromAsync(events)]);
  return { change, events: all, exitCode: change.result?.exitCode };
}

/** What runs on the platform: `name image state routed`, sorted; seen behind the provider's back. */
export async function running(platform: RunningPlatform): Promise<string[]> {
  const state = await platform.harness.dump();
  return Object.values(state.replicas)
    .filter((each) => !each.stopped)
    .map((each) => {
      const route = state.instances[each.instance]?.route;
      const percent = route?.targets[each.id];
      return `${each.name} ${each.behaviour}${percent === undefined ? "" : ` ${Math.round(percent)}%`}`;
    })
    .sort();
}

const main = fileURLToPath(new URL("deploy-main.ts", import.meta.url));

/** Deploys in another process, which the platform kills at a call; resolves with whether that happened. `ends`: its exit code if not. */
export async function dieIn(
  bench: Bench,
  services: string,
  at: { nth: number; kind: "kill-before" | "kill-after" },
  ends = 0,
): Promise<boolean> {
  await bench.platform.harness.fault({ call: "*", ...at });
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      main,
      bench.folder,
      bench.platform.socket,
      services,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null]; // the event's two arguments
  await bench.platform.harness.clearFaults();
  if (signal === "SIGKILL") return true;
  assert.equal(code, ends, errors);
  return false;
}
