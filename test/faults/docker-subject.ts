import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Provider, ProviderEnvironment, ReplicaDriver } from "@ctrlplane/core/provider";
import { connectEngine, isEngineError, type Endpoint, type EngineClient } from "@ctrlplane/images";
// As built, like in the processes that are struck.
import { provider } from "../../packages/providers/docker/dist/index.js";
import { dockerSocket } from "../engines/docker.ts";
import { dockerHosts } from "../engines/hosts.ts";
import { orphansIn, remainsOf, removeStack, type LabelledContainer, type Remains } from "../engines/remains.ts";
import type { Site } from "./plane.ts";
import type { Subject, World } from "./subject.ts";
import { faultKinds, tapDriver } from "./tap.ts";
import { freePort } from "../free-port.ts";

/** Once for all worlds: images stay. */
let ensured: Promise<unknown> | undefined;

// Its last parameter is a seam for tests, and not in the type under which the package hands it out.
const create: (
  options: Readonly<Record<string, unknown>>,
  environment: ProviderEnvironment,
  through: (driver: ReplicaDriver) => ReplicaDriver,
) => Provider = provider.create;
const repository = "ctrlplane-faults";

/** Of the engine; undefined where none answers. */
export const socket = await dockerSocket();
const [host] = (await dockerHosts()) ?? [];
const noHost = "a Docker host";
const images = ["ok:1", "ok:2", "ok:3", "crash:1", "done:20"];

/** A place is what the provider's options are, as JSON: the engine by its socket, and that of a host over SSH. */
const near = JSON.stringify({ socket: socket ?? "no engine" });
const far =
  host === undefined
    ? undefined
    : JSON.stringify({ host: host.address, user: "admin", key: host.key, hostKey: host.hostKey });

/** `docker` on two engines: each world is a stack of its own there. */
export const subject: Subject = {
  url: import.meta.url,
  type: "docker",
  kinds: [...faultKinds, "death-of-gateway"],
  takesTurns: true,
  isUnfenced: true,
  oneOf: 400,
  plain: ["deploy, recreate", "deploy, rolling"],
  lacks: far === undefined ? { move: noHost, "on two providers": noHost } : {},
  options: optionsAt,
  stack: stackOf,
  declare: (services, { folder }) =>
    services
      .replaceAll(/\{ image: "(\w+):(\d+)"(, ports)?/g, (_, word: string, number: string, ports?: string) => {
        const image = `{ image: "${repository}/${word}:${number}"`;
        // Without a port it would have to live for five seconds.
        return ports === undefined && word === "ok"
          ? `${image}, ports: [{ containerPort: 3000 }]`
          : image + (ports ?? "");
      })
      .replaceAll("8080:3000", `127.0.0.1:${readFileSync(join(folder, "port"), "utf8")}:3000`),
  async start(folder): Promise<World> {
    const places = { ref: near, ...(far === undefined ? {} : { other: far }) };
    const endpoints = Object.values(places).map(endpointAt);
    const engines = endpoints.map((each) => connectEngine(each));
    await (ensured ??= Promise.all(engines.map((engine) => ensureImages(engine))));
    writeFileSync(join(folder, "port"), String(await freePort()));
    const stack = stackOf({ folder, places: {} });
    const look = (): Promise<Remains[]> => Promise.all(engines.map((engine) => remainsOf(engine, stack)));
    return {
      places,
      replicas: async () =>
        (await look())
          .flatMap(({ containers }) => containers)
          .filter(isReplica)
          .map(({ name, command, isRunning }) => ({
            name: name.replace(stack, "shop"),
            image: command.split(" ").at(-1) ?? "",
            isRunning,
          })),
      records: async () =>
        (await look()).flatMap(({ volumes }) => volumes.map(({ labels }) => labels["pctl-record"] ?? "")),
      everything: async () => JSON.stringify(await look()),
      orphans: async (services, runs) => {
        const seen = await look();
        return seen.flatMap((each, index) => {
          const isUsed = isOn(Object.keys(places)[index] ?? "", services);
          return leftOver(each, stack, isUsed ? services : "", isUsed ? runs : []);
        });
      },
      reach: (services) => reach(services, folder),
      async stop() {
        await Promise.all(engines.map((engine) => engine.close()));
        for (const endpoint of endpoints) await removeStack(endpoint, stack);
      },
    };
  },
  connect: (at, tap) =>
    create(optionsAt(at), { name: "ref", folder: "/nowhere", env: process.env }, (driver) => tapDriver(driver, tap)),
  kill(who, site) {
    assert.equal(who, "gateway");
    const docker = ["-H", `unix://${socket}`];
    const filters = ["--filter", `label=pctl-stack=${stackOf(site)}`, "--filter", "label=pctl-role=gateway"];
    const { stdout } = spawnSync("docker", [...docker, "ps", "--quiet", ...filters], { encoding: "utf8" });
    const ids = stdout.split("\n").filter((each) => each !== "");
    // Where there is none yet nobody dies.
    if (ids.length > 0) spawnSync("docker", [...docker, "kill", ...ids]);
  },
};

function optionsAt(place: string): Readonly<Record<string, string>> {
  return JSON.parse(place) as Record<string, string>; // as they are written above
}

function endpointAt(place: string): Endpoint {
  if (place === near) return { kind: "socket", path: socket ?? "no engine" };
  assert.ok(host !== undefined);
  return { kind: "ssh", host: host.address, user: "admin", key: host.key, hostKey: host.hostKey, sudo: false };
}

/** Whether something of these services is to run there; where no provider is named it is on the first one. */
function isOn(place: string, services: string): boolean {
  const named = [...services.matchAll(/provider: (\[[^\]]*\]|\w+)/g)].map(([, names = ""]) => names);
  return named.length === 0 ? place === "ref" : named.some((names) => names.includes(place));
}

/** Of a world, by its folder. */
function stackOf({ folder }: Site): string {
  return `f${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
}

/** A replica as a user sees it: what is kept for its log has another name, and does not run. */
function isReplica({ name, labels, isRunning }: LabelledContainer): boolean {
  return labels["pctl-role"] === undefined && (isRunning || !/\.old-[0-9a-f]{8}$/.test(name));
}

/** As `orphansIn`, of a step's services and of what runs after it. */
function leftOver(remains: Remains, stack: string, services: string, runs: readonly string[]): string[] {
  const names = (each: string): string => each.replace(/^shop/, stack);
  const replicas = runs.map((each) => names(each.replace(/ .*/, "")));
  const gateways = services.includes("ports:") && runs.length > 0 ? [`${stack}-web-gateway`] : [];
  const jobs = services.includes("kind: job") ? [`${stack}-migrate`] : [];
  const living = new Set(replicas.map((each) => each.replace(/-\d+$/, "")));
  return orphansIn(remains, { containers: [...replicas, ...gateways], services: [...living, ...jobs] });
}

async function ensureImages(engine: EngineClient): Promise<void> {
  for (const image of images) await ensureImage(engine, image);
}

/** A program of busybox: what it is called is what it answers. */
async function ensureImage(engine: EngineClient, image: string): Promise<void> {
  const [word = "", number = ""] = image.split(":");
  const serve = `mkdir -p /www && printf %s "$0" > /www/index.html && { httpd -f -p 3000 -h /www & } && trap 'exit 0' TERM && wait`;
  const script = { ok: serve, crash: "exit 1", done: "usleep 20000" }[word];
  assert.ok(script !== undefined, image);
  const Cmd = ["sh", "-c", script, image];
  const made = await engine
    .json<{ readonly Config: { readonly Cmd: readonly string[] } }>({
      method: "GET",
      path: `/images/${repository}/${image}/json`,
    })
    .catch((error: unknown) => {
      if (isEngineError(error, 404)) return undefined;
      throw error;
    });
  if (made?.Config.Cmd.join() === Cmd.join()) return;
  const body = { Image: "busybox:latest", Cmd };
  const { Id } = await engine.json<{ readonly Id: string }>({ method: "POST", path: "/containers/create", body });
  const query = { container: Id, repo: `${repository}/${word}`, tag: number, pause: false };
  await engine.json({ method: "POST", path: "/commit", query, body: { Cmd } });
  await engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true } });
}

/** What is published answers with the image that is declared. */
async function reach(services: string, folder: string): Promise<void> {
  const image = /image: "([^"]+)", ports: \[8080:3000\]/.exec(services)?.[1];
  if (image === undefined) return;
  const port = readFileSync(join(folder, "port"), "utf8");
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  assert.equal(await answer.text(), image, "what answers at the port");
}
