import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { instanceFile, layout } from "../layout.ts";
import { flushToDisk, isErrno, readJsonFile, replaceJsonFile } from "../process/json-file.ts";
import { namesIn } from "../supervisor/read.ts";
import type { RunsRecord, ScheduleRecord } from "./records.ts";

function scheduleFile(dir: string, instance: string): string {
  return join(dirname(instanceFile(dir, instance)), "schedule.json");
}

function runsFile(dir: string, instance: string): string {
  return join(dirname(instanceFile(dir, instance)), "runs.json");
}

export function readSchedule(dir: string, instance: string): ScheduleRecord | undefined {
  return readJsonFile<ScheduleRecord>(scheduleFile(dir, instance));
}

export function hasSchedule(dir: string, instance: string): boolean {
  return existsSync(scheduleFile(dir, instance));
}

/** Names of the instances that have one. */
export function scheduledInstances(dir: string): readonly string[] {
  return namesIn(layout(dir).instances).filter((name) => hasSchedule(dir, name));
}

export function readRuns(dir: string, instance: string): RunsRecord {
  return readJsonFile<RunsRecord>(runsFile(dir, instance)) ?? {};
}

/** Resolves when it is safe from a loss of power. The instance has its record. */
export async function writeSchedule(dir: string, instance: string, schedule: ScheduleRecord): Promise<void> {
  await replaceDurably(scheduleFile(dir, instance), schedule);
}

/** As `writeSchedule`; where the instance is gone, nothing is written. */
export async function writeRuns(dir: string, instance: string, runs: RunsRecord): Promise<void> {
  try {
    await replaceDurably(runsFile(dir, instance), runs);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** Absent is success. What ran stays on record until the instance goes. */
export async function removeSchedule(dir: string, instance: string): Promise<void> {
  const file = scheduleFile(dir, instance);
  if (!existsSync(file)) return;
  await rm(file, { force: true });
  await flushToDisk(dirname(file));
}

async function replaceDurably(path: string, value: unknown): Promise<void> {
  await replaceJsonFile(path, value);
  await flushToDisk(path);
  await flushToDisk(dirname(path));
}
