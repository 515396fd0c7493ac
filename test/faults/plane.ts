import { join } from "node:path";
import {
  createControlPlane,
  createRedactor,
  createSealer,
  fileStateStore,
  hasErrors,
  parseStack,
  type Change,
  type Clock,
  type ControlPlane,
  type Run,
  type Stack,
} from "@ctrlplane/core";
import { setTimeout as sleep } from "node:timers/promises";
import type { Step } from "./scenarios.ts";
import type { Subject } from "./subject.ts";
import { tapProvider, tapStore, type Tap } from "./tap.ts";

/** What a process needs to work on a world. */
export interface Site {
  readonly folder: string;
  readonly places: Readonly<Record<string, string>>;
}

/** An engine all of whose calls pass the tap. */
export function makePlane(subject: Subject, site: Site, tap: Tap): ControlPlane {
  const clock: Clock = {
    now: () => Date.now() + tap.clockOffsetMs,
    monotonic: () => performance.now(),
    sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  };
  return createControlPlane({
    resolveProvider: ({ name }) => {
      const place = site.places[name];
      if (place === undefined) throw new Error(`no place is named ${name}`);
      return Promise.resolve(tapProvider(subject.connect(place, tap), tap));
    },
    store: tapStore(fileStateStore(site.folder), tap),
    sealer: createSealer(Buffer.alloc(32, 7)),
    redactor: createRedactor(),
    cacheDir: join(site.folder, ".pctl"),
    actor: { user: "ada", host: "rig", pid: process.pid },
    clock,
  });
}

export function stackOf(subject: Subject, site: Site): string {
  return subject.stack?.(site) ?? "shop";
}

export async function parse(subject: Subject, site: Site, services: string): Promise<Stack> {
  const providers = Object.keys(site.places).map(
    (name) =>
      `${name}: { type: ${subject.type}, options: ${JSON.stringify(subject.options(site.places[name] ?? ""))} }`,
  );
  const declared = subject.declare?.(services, site) ?? services;
  const text = `name: ${stackOf(subject, site)}\nprovider: ref\nproviders: { ${providers.join(", ")} }\nservices: {${declared}}\n`;
  const parsed = await parseStack(text, {
    cwd: site.folder,
    env: {},
    redactor: createRedactor(),
    purpose: "deploy",
    providerTypes: [{ type: subject.type }],
  });
  if (parsed.stack === undefined || hasErrors(parsed.diagnostics))
    throw new Error(JSON.stringify(parsed.diagnostics, null, 1));
  return parsed.stack;
}

/** Carries a step out, and resolves with the command's exit code. What could not begin rejects. */
export async function carryOut({ stacks }: ControlPlane, stack: Stack, step: Step): Promise<number> {
  const run = await begin(stacks, stack, step);
  if (run === undefined) return 0;
  return (await run.done).result?.exitCode ?? 1;
}

async function begin(stacks: ControlPlane["stacks"], stack: Stack, step: Step): Promise<Run<Change> | undefined> {
  switch (step.command) {
    case "deploy":
      return stacks.deploy(stack, {
        atomic: step.atomic ?? false,
        ...(step.lockWaitMs === undefined ? {} : { lockWaitMs: step.lockWaitMs }),
      });
    case "destroy":
      return stacks.destroy(stack);
    case "rollback":
      return stacks.rollback(stack);
    case "scale":
      return stacks.scale(stack, { web: 3 });
    case "stop":
      return stacks.stop(stack, ["web"]);
    case "start":
      return stacks.start(stack, ["web"]);
    case "restart":
      return stacks.restart(stack, ["web"]);
    case "promote":
      return stacks.promote(stack, ["web"], { full: true });
    case "abort":
      return stacks.abort(stack, ["web"]);
    case "rebuild":
      await stacks.state.rebuild(stack);
      return undefined;
    case "unlock":
      await stacks.state.unlock(stack);
      return undefined;
  }
}
