import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { instanceId, instanceName, revisionOf, sha256, specHash } from "@ctrlplane/core/provider";
import type {
  InstanceIdentity,
  PinnedImage,
  Progress,
  ProviderContext,
  Release,
  ServiceSpec,
} from "@ctrlplane/core/provider";

/** A folder that is gone when the test has ended; `before` its removal, what uses it ends. */
export async function temporaryFolder(test: TestContext, before?: (folder: string) => Promise<void>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pctl-local-"));
  test.after(async () => {
    await before?.(folder);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface TestContextOptions {
  readonly signal?: AbortSignal;
  readonly epoch?: number;
}

export interface RecordingContext extends ProviderContext {
  readonly warnings: string[];
  readonly seen: Progress[];
}

/** A context on real time that keeps what it is told; its seal is only marked, not encrypted. */
export function testContext({
  signal = new AbortController().signal,
  epoch = 1,
}: TestContextOptions = {}): RecordingContext {
  const warnings: string[] = [];
  const seen: Progress[] = [];
  return {
    warnings,
    seen,
    signal,
    clock: {
      now: Date.now,
      monotonic: () => performance.now(),
      sleep: () => Promise.reject(new Error("no test of `local` sleeps")),
    },
    log: { debug: () => undefined, warn: (message) => void warnings.push(message) },
    progress: (progress) => void seen.push(progress),
    fence: { stack: "shop", epoch, check: () => Promise.resolve() },
    sealer: {
      seal: (plain, purpose) => Buffer.from(purpose + plain).toString("base64"),
      open: (sealed, purpose) => Buffer.from(sealed, "base64").toString().slice(purpose.length),
    },
  };
}

/** A service that runs `command` in the folder `path`. */
export function testSpec(path: string, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    service: "web",
    kind: "service",
    image: { kind: "path", path, declared: "./web" },
    command: { args: [process.execPath, "server.js"] },
    env: {},
    secretEnv: [],
    files: [],
    scale: { replicas: 1 },
    ports: [],
    domains: [],
    volumes: [],
    needs: {},
    strategy: {
      type: "recreate",
      declared: false,
      batch: { percent: 25 },
      steps: [],
      pause: "manual",
      timeoutMs: 20_000,
      drainMs: 1_000,
      onFailure: "revert",
    },
    stop: { signal: "SIGTERM", graceMs: 2_000 },
    protect: false,
    keep: 10,
    accept: [],
    ...change,
  };
}

export function testIdentity(
  platformId: string,
  service = "web",
  stack = "shop",
  lineage = "lin_00000000000000000000000000",
): InstanceIdentity {
  return {
    id: instanceId({ lineage, stack, service, platformId }),
    name: instanceName(stack, service),
    stack,
    service,
    lineage,
    provider: "local",
    platformId,
  };
}

export function testRelease(instance: InstanceIdentity, spec: ServiceSpec, image: PinnedImage, number = 1): Release {
  return {
    id: `rel_${sha256(`${instance.id}${number}`).slice(0, 26)}`,
    number,
    instance,
    spec,
    image,
    revision: revisionOf(spec, image),
    specHash: specHash(spec, image),
    change: number,
    createdAt: new Date(0).toISOString(),
  };
}
