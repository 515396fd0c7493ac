import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Harness, Program, SeenReplica } from "@ctrlplane/conformance";
import type { AroundCall } from "./client.ts";
import { phaseOf } from "./platform/behaviour.ts";
import { createReferenceProvider } from "./provider.ts";
import type { InstanceRecord, ReplicaRecord } from "./protocol.ts";
import { servePlatform, type ServedPlatform } from "./serve-platform.ts";

/** A fresh platform for `@ctrlplane/conformance`. Its five seconds of waiting for an early death pass in a tenth of the time. `around`: see `AroundCall`. */
export async function harness({ around }: { readonly around?: AroundCall } = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "reference-conformance-"));
  const platform = await servePlatform(join(folder, "platform.sock"), { pace: 0.1 });
  const { state, socket } = platform;
  const changing = (change: () => void): Promise<void> => {
    change();
    platform.changed();
    return Promise.resolve();
  };
  const ask = clientOf(platform);
  return {
    name: "reference",
    provenBy: "a simulated platform, by its own words",
    parallel: 24,
    connect: () => createReferenceProvider({ socket }, around),
    unreachable: () => createReferenceProvider({ socket: join(folder, "nowhere.sock") }),
    program: (program, hostPort) => ({
      image: { kind: "reference", reference: behaviourText(program) },
      ports: [{ containerPort: 3000, hostPort, protocol: "http" }],
    }),
    commands: {
      print: (text) => ["echo", text],
      exit: (code) => ["fail", String(code)],
      variable: (name) => ["env", name],
      copy: ["cat"],
    },
    ask: (url) => Promise.resolve(ask(url)),
    look: (name) => {
      const record = state.instances[name];
      if (record === undefined) return Promise.resolve(undefined);
      const replicas = Object.values(state.replicas).filter((each) => each.instance === name);
      return Promise.resolve({ labels: record.labels, replicas: replicas.map(seen) });
    },
    writes: (stack) =>
      Promise.resolve(
        state.writes.flatMap((each, index) =>
          each.stack === stack && !each.call.startsWith("ledger.") ? `${index} ${each.call} ${each.target}` : [],
        ),
      ),
    readVolume: (name) => Promise.resolve(state.volumes[name]?.text),
    writeVolume: (name, text) =>
      changing(() => {
        (state.volumes[name] ??= { name, isOurs: false, labels: {}, users: [], text: "" }).text = text;
      }),
    kill: ({ id }) => changing(() => withReplica(platform, id, (record) => void (record.brokenAt = Date.now()))),
    remove: ({ id }) => changing(() => void Reflect.deleteProperty(state.replicas, id)),
    say: ({ id }, text) =>
      changing(() => withReplica(platform, id, ({ log }) => void log.push({ at: Date.now(), text }))),
    relabel: (name, labels) =>
      changing(() => {
        const record = state.instances[name];
        if (record !== undefined) record.labels = labels;
      }),
    async close() {
      await platform.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function behaviourText(program: Program): string {
  const { kind, version } = program;
  if (kind === "deaf") return `noport#${version}`;
  if (kind === "ill") return `unhealthy#${version}`;
  if (kind === "missing") return "missing";
  if (kind === "ends")
    return program.exitCode === 0 ? `done:${program.afterMs ?? 0}#${version}` : `crash:${program.exitCode}#${version}`;
  if (program.diesMs !== undefined) return `dies:${program.diesMs}#${version}`;
  return program.readyMs === undefined ? `ok#${version}` : `slow:${program.readyMs}#${version}`;
}

function seen(record: ReplicaRecord): SeenReplica {
  const { id, name, labels, starts, limits } = record;
  return { id, name, labels, starts, limits, version: versionOf(record), isRunning: isRunning(record) };
}

function versionOf({ behaviour }: ReplicaRecord): string {
  return behaviour.split("#")[1] ?? "";
}

function isRunning(record: ReplicaRecord): boolean {
  const { state } = phaseOf(record, Date.now());
  return state !== "stopped" && state !== "exited";
}

function withReplica({ state }: ServedPlatform, id: string, work: (record: ReplicaRecord) => void): void {
  const record = state.replicas[id];
  if (record === undefined) throw new Error(`the platform has no replica ${id}`);
  work(record);
}

/** A client of what the platform routes: each request goes to the ready replica that is furthest behind its share. */
function clientOf({ state }: ServedPlatform): (url: string) => Answer | undefined {
  const sent = new Map<string, number>();
  return (url) => {
    const { hostname, port } = new URL(url);
    const instance = Object.values(state.instances).find((each) => isReached(each, hostname, Number(port)));
    const targets = Object.entries(instance?.route?.targets ?? {}).flatMap(([id, weight]) => {
      const record = state.replicas[id];
      const isReady = record !== undefined && phaseOf(record, Date.now()).state === "ready";
      return isReady && weight > 0 ? [{ record, weight }] : [];
    });
    const key = (id: string): string => `${id} ${JSON.stringify(instance?.route?.targets)}`;
    const [next] = targets.toSorted(
      (a, b) =>
        ((sent.get(key(a.record.id)) ?? 0) + 0.5) / a.weight - ((sent.get(key(b.record.id)) ?? 0) + 0.5) / b.weight,
    );
    if (next === undefined) return undefined;
    sent.set(key(next.record.id), (sent.get(key(next.record.id)) ?? 0) + 1);
    return { version: versionOf(next.record), env: next.record.env };
  };
}

function isReached({ name, route }: InstanceRecord, host: string, port: number): boolean {
  if (route === undefined) return false;
  const isInside = host === `${name}.reference.internal`;
  return route.ports.some(
    (each) => (isInside ? each.containerPort : each.hostPort) === port && (isInside || host === "reference.test"),
  );
}
