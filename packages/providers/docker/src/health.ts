import { thisMachine } from "@ctrlplane/core/provider";
import type { Diagnostic, PlatformHealth } from "@ctrlplane/core/provider";
import { mappedEngine, type EngineClient } from "@ctrlplane/images";

/** Of this package. */
export const version = "2.0.0";

/** What `check` knows of an engine. */
export interface DockerFacts {
  readonly api: string;
  readonly engine: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cpuLimit: boolean;
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly gpus: boolean;
}

interface InfoAnswer {
  readonly ID: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsQuota: boolean;
  readonly OSType: string;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly Warnings?: readonly string[] | null;
}

/** Asks the engine for its version and what it can do. */
export async function engineHealth(
  engine: EngineClient,
  publicHost: string,
  signal: AbortSignal,
): Promise<PlatformHealth> {
  return mappedEngine(engine.description, async () => {
    const { engine: release, api } = await engine.version();
    const info = await engine.json<InfoAnswer>({ method: "GET", path: "/info", signal });
    const facts: DockerFacts = {
      api,
      engine: release,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      cpuLimit: info.CpuCfsQuota,
      memoryLimit: info.MemoryLimit,
      swapLimit: info.SwapLimit,
      gpus: Object.keys(info.Runtimes ?? {}).includes("nvidia"),
    };
    return {
      platformId: info.ID,
      host: isLoopback(publicHost) ? thisMachine : publicHost,
      version: release,
      description: `Docker ${shortVersion(release)}, ${engine.description}`,
      diagnostics: [...checkSystem(info)],
      facts: { ...facts },
    };
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function shortVersion(release: string): string {
  return release.split(".").slice(0, 2).join(".");
}

function checkSystem({ OSType }: InfoAnswer): readonly Diagnostic[] {
  if (OSType === "linux") return [];
  return [
    {
      severity: "warning",
      code: "system-untested",
      summary: `containers of ${OSType} are untested`,
      hint: "Use an engine that runs Linux containers.",
    },
  ];
}
