import { Agent } from "node:http";
import { post, valueOf } from "./client.ts";
import type { Controls } from "./platform/control.ts";

/** The platform's controls as seen from a test: the same functions, a process away. */
export type Harness = {
  readonly [Name in keyof Controls]: (...args: Parameters<Controls[Name]>) => Promise<ReturnType<Controls[Name]>>;
} & { close(): Promise<void> };

const names = [
  "dump",
  "fault",
  "clearFaults",
  "counts",
  "resetCounts",
  "plant",
  "end",
  "erase",
  "tag",
  "log",
] as const satisfies readonly (keyof Controls)[];

export function createHarness(socket: string): Harness {
  const agent = new Agent({ keepAlive: true });
  const entries = names.map((name) => [
    name,
    async (args: unknown = {}) => valueOf(await post(agent, socket, `/control/${name}`, { args })),
  ]);
  // The names are those of the controls, and both ends speak JSON of one type.
  const controls = Object.fromEntries(entries) as Omit<Harness, "close">;
  const close = (): Promise<void> => {
    agent.destroy();
    return Promise.resolve();
  };
  return Object.assign(controls, { close });
}
