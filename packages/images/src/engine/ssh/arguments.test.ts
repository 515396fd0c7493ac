import assert from "node:assert/strict";
import { test } from "node:test";
import type { SshEndpoint } from "../endpoint.ts";
import {
  channelArguments,
  contextArguments,
  exitArguments,
  forwardArguments,
  lookAtKeyArguments,
  masterArguments,
  socketArguments,
} from "./arguments.ts";

const endpoint: SshEndpoint = { kind: "ssh", host: "shop.example", user: "deploy", port: 2222, key: "k", sudo: true };
const files = { control: "/run/c1", log: "/run/c1.log", key: "/run/key", knownHosts: "/run/known_hosts" };

test("the connection: nobody is asked, no unknown host is let in, what the endpoint names is used alone", () => {
  const args = masterArguments(endpoint, files);
  for (const option of [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ControlMaster=yes",
    "IdentityFile=/run/key",
    "IdentitiesOnly=yes",
    "UserKnownHostsFile=/run/known_hosts",
    "GlobalKnownHostsFile=/dev/null",
  ]) {
    assert.equal(args[args.indexOf(option) - 1], "-o", option);
  }
  assert.deepEqual(args.slice(-6), ["-l", "deploy", "-p", "2222", "--", "shop.example"]);
});

test("what the endpoint does not name is left to the user's configuration", () => {
  const plain: SshEndpoint = { kind: "ssh", host: "shop", sudo: false };
  const args = masterArguments(plain, { ...files, key: undefined, knownHosts: undefined }).join(" ");
  assert.doesNotMatch(args, /Identity|KnownHosts|HostKeyAlias|-l |-p |Proxy/);
});

test("a channel runs a constant, and never makes a connection of its own", () => {
  const args = channelArguments(endpoint, "/run/c1");
  assert.deepEqual(args.slice(-2), ["shop.example", "env LC_ALL=C sudo -n docker system dial-stdio"]);
  assert.ok(args.includes("ProxyCommand=false"));
  assert.equal(channelArguments({ ...endpoint, sudo: false }, "/run/c1").at(-1), "docker system dial-stdio");
});

test("the engine's socket: asked for by a constant, and forwarded whatever a configuration says", () => {
  const asked = contextArguments(endpoint, "/run/c1");
  assert.equal(asked.at(-1), "docker context inspect --format '{{.Endpoints.docker.Host}}'");
  assert.ok(asked.includes("ProxyCommand=false"));
  const led = socketArguments(endpoint, "/run/c1", { path: "/run/c1.engine", socket: "/run/docker.sock" });
  assert.deepEqual(led.slice(0, 8), "-F none -S /run/c1 -O forward -L /run/c1.engine:/run/docker.sock".split(" "));
});

test("a look at the host's key offers no key of ours", () => {
  const args = lookAtKeyArguments(endpoint, "/run/shown");
  assert.ok(args.includes("PreferredAuthentications=none"));
  assert.ok(!args.some((each) => each.startsWith("IdentityFile")));
  assert.deepEqual(exitArguments(endpoint, "/run/c1").slice(0, 4), ["-S", "/run/c1", "-O", "exit"]);
});

test("a connection to a container takes no session, and never logs in", () => {
  const args = forwardArguments(endpoint, "/run/c1", { host: "fd00::2", port: 80 });
  assert.equal(args[args.indexOf("-W") + 1], "[fd00::2]:80");
  assert.equal(args.at(-1), "shop.example");
  assert.ok(args.includes("ProxyCommand=false"));
});
