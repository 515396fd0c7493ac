// What is built comes to every engine of a stack: by a registry with a password, or from engine to engine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import type { Event } from "@ctrlplane/core";
import { segment } from "@ctrlplane/images";
import { dockerSocket } from "../engines/docker.ts";
import type { DockerHost } from "../engines/hosts.ts";
import { registryUser, startRegistry } from "./images-registry.support.ts";
import { engineAt, engineOf, ImageStack, optionsOf, toldOfImages } from "./images-stack.support.ts";
import { requireHosts, skip } from "./reach.support.ts";

const socket = await dockerSocket();
const options = { skip, timeout: 300_000 };

test(
  "pushed once with the declared login, run by digest on two hosts, built once for two services",
  options,
  async (t) => {
    const registry = await startRegistry(t);
    const [host] = requireHosts();
    await bringRegistryTo(host, registry, t);
    const [here, there] = [engineAt(socket), engineOf(host)];
    await using stack = await ImageStack.create(here, there);
    const { project, name } = stack;
    const write = (login: string, more = "") =>
      project.write({
        "pctl.yaml": `
name: ${name}
providers: { here: { type: docker, options: { socket: ${socket} } }, there: ${optionsOf(host)} }
provider: here
services:
  web: { image: ./web, registry: ${login}, provider: [here, there] }
  worker: { image: ./web, registry: ${login} }
  ${more}
`,
      });
    const place = `${registry}/team/${name}`;
    await write(`{ url: "http://${place}", username: ${registryUser.username}, password: wrong }`);
    await stack.content("one");
    const refused = await project.expect(3, ["deploy", "--yes"]);
    assert.match(refused, /pushing .*unauthorized|authentication/i);
    assert.match(refused, /Check `registry` in pctl.yaml/);

    await write(`{ url: "http://${place}", username: ${registryUser.username}, password: ${registryUser.password} }`);
    const first = await stack.events(0, ["deploy", "--yes"]);
    assert.equal(first.filter(({ type, provider }) => type === "build.started" && provider === "here").length, 1);
    const done = toldOfImages(first).filter((each) => each.startsWith("build.done"));
    assert.deepEqual(done.map((each) => each.replace(/sha256:[0-9a-f]{6}/, "sha256:…")).toSorted(), [
      "build.done sha256:… on here for web, worker",
      "build.done sha256:… on there for web",
    ]);
    assert.equal(pushes(first).length, 1, "one push for both hosts and services");
    const { web, worker } = await stack.containers(here);
    assert.match(web ?? "", new RegExp(`^${place}@sha256:[0-9a-f]{64}$`));
    assert.equal(worker, web);
    assert.deepEqual(await stack.containers(there), { web });
    const [tag] = await tagsOf(place);
    assert.match(tag ?? "", /^[0-9a-f]{64}$/);
    assert.ok((await stack.images(there)).includes(`${place}:${tag}`));
    await project.ok("plan", "--exit-code");

    // A further service of that content: the registry is asked, and nothing is sent.
    const login = await withHelper(stack, registry);
    await write(`"http://${place}"`, `third: { image: ./web, registry: "http://${place}" }`);
    const again = await stack.events(0, ["deploy", "--yes"], { env: login });
    assert.deepEqual([pushes(again), await tagsOf(place)], [[], [tag]]);
    assert.equal((await stack.containers(here))["third"], web);

    // With the logins of the docker configuration, by its helper.
    await stack.content("two");
    const second = await stack.events(0, ["deploy", "--yes"], { env: login });
    assert.equal(pushes(second).length, 1);
    assert.equal((await tagsOf(place)).length, 2);
    assert.notEqual((await stack.containers(there))["web"], web);

    // An image that others took away comes back from the registry.
    const lost = { method: "DELETE", path: `/images/${segment(`${place}:${tag}`)}`, query: { force: true } } as const;
    for (const each of [here, there]) await each.json(lost);
    await project.expect(0, ["rollback", "web", "--to", "1", "--yes"], { env: login });
    assert.deepEqual([(await stack.containers(here))["web"], (await stack.containers(there))["web"]], [web, web]);

    await project.ok("destroy", "--yes");
    assert.deepEqual([await stack.images(here), await stack.images(there)], [[], []]);
    assert.equal((await tagsOf(place)).length, 2, "what is in the registry stays");
  },
);

/** Who pushed, as `provider service`. */
function pushes(events: readonly Event[]): string[] {
  const told = events.filter(({ type, message }) => type === "build.progress" && message.startsWith("pushing "));
  return [...new Set(told.map(({ provider, service }) => `${provider} ${service}`))];
}

async function tagsOf(place: string): Promise<string[]> {
  const [registry = "", ...path] = place.split("/");
  const login = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString("base64");
  const headers = { Authorization: `Basic ${login}` };
  const answer = await fetch(`http://${registry}/v2/${path.join("/")}/tags/list`, { headers });
  const { tags } = (await answer.json()) as { readonly tags?: readonly string[] | null };
  return (tags ?? []).toSorted();
}

/** A docker configuration whose helper knows the login of one registry, for the environment of `pctl`. */
async function withHelper({ project }: ImageStack, registry: string): Promise<Readonly<Record<string, string>>> {
  const answer = JSON.stringify({ Username: registryUser.username, Secret: registryUser.password });
  const helper = `#!/bin/sh\nread asked\n[ "$asked" = "${registry}" ] || { echo "credentials not found"; exit 1; }\necho '${answer}'\n`;
  const config = JSON.stringify({ credsStore: "of-the-test" });
  await project.write({ "docker/config.json": config, "docker/docker-credential-of-the-test": helper });
  const folder = join(project.folder, "docker");
  await chmod(join(folder, "docker-credential-of-the-test"), 0o755);
  return { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
}

/** The registry of this machine answers under the same name on a host, by its own `localhost`. */
async function bringRegistryTo(host: DockerHost, registry: string, t: TestContext): Promise<void> {
  const port = registry.split(":")[1] ?? "";
  const known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
  const way = ["-N", "-v", "-i", host.key, "-o", "ExitOnForwardFailure=yes", "-R", `127.0.0.1:${port}:${registry}`];
  const ssh = spawn("ssh", [...known, ...way, `deploy@${host.address}`], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    const ended = once(ssh, "exit");
    ssh.kill();
    await ended;
  });
  for await (const line of createInterface({ input: ssh.stderr })) if (/remote forward success/.test(line)) break;
  ssh.stderr.resume();
}
