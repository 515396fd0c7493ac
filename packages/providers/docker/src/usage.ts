import type { ProviderContext, Replica, ResourceUsage } from "@ctrlplane/core/provider";
import { segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import { inspect } from "./containers.ts";

const mebibyte = 1024 * 1024;
const nanosecond = 1_000_000;

interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

interface Stats {
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** Of the replicas that run, over the second that the engine measures. */
export async function readUsage(
  engine: EngineClient,
  replicas: readonly Replica[],
  { signal, clock }: ProviderContext,
): Promise<ResourceUsage> {
  const running = replicas.filter((each) => each.startedAt !== undefined);
  const usages = await Promise.all(running.map((each) => usageOf(engine, each, signal)));
  return { at: new Date(clock.now()).toISOString(), replicas: usages.flatMap((each) => each ?? []) };
}

async function usageOf(engine: EngineClient, { id, name }: Replica, signal: AbortSignal) {
  const path = `/containers/${segment(id)}/stats`;
  const [stats, details] = await Promise.all([
    unlessMissing(engine.json<Stats>({ method: "GET", path, query: { stream: false }, signal })),
    inspect(engine, id, signal),
  ]);
  if (stats === undefined || details === undefined) return undefined;
  const { NanoCpus, Memory } = details.HostConfig;
  return {
    replica: name,
    cpuMillis: cpuOf(stats),
    memoryMb: Math.round(memoryOf(stats) / mebibyte),
    limits: {
      ...(NanoCpus > 0 ? { cpuMillis: NanoCpus / nanosecond } : {}),
      ...(Memory > 0 ? { memoryMb: Memory / mebibyte } : {}),
    },
  };
}

/** Its share of the time of all processors, times their number. */
function cpuOf({ cpu_stats: now, precpu_stats: before }: Stats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const all = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  return all <= 0 ? 0 : Math.max(0, Math.round((used / all) * (now.online_cpus ?? 1) * 1000));
}

/** Without what the kernel keeps of files and would give back. */
function memoryOf({ memory_stats: { usage = 0, stats = {} } }: Stats): number {
  return Math.max(0, usage - (stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0));
}
