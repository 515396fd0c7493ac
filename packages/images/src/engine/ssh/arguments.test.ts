import assert from "node:assert/strict";
import { test } from "node:test";
import type { SshEndpoint } from "../endpoint.ts";
import { exitArguments, lookAtKeyArguments, masterArguments } from "./arguments.ts";

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

test("a look at the host's key offers no key of ours", () => {
  const args = lookAtKeyArguments(endpoint, "/run/shown");
  assert.ok(args.includes("PreferredAuthentications=none"));
  assert.ok(!args.some((each) => each.startsWith("IdentityFile")));
  assert.deepEqual(exitArguments(endpoint, "/run/c1").slice(0, 4), ["-S", "/run/c1", "-O", "exit"]);
});
