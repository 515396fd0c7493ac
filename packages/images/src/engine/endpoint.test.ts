import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { connectEngine } from "./client.ts";
import { describeEndpoint, isHostKey, isHostName, isPort, isUserName } from "./endpoint.ts";

test("an endpoint is written as in DOCKER_HOST", () => {
  assert.equal(describeEndpoint({ kind: "ssh", host: "shop", sudo: true }), "ssh://shop");
  assert.equal(describeEndpoint({ kind: "ssh", host: "::1", user: "ada", port: 22, sudo: true }), "ssh://ada@[::1]:22");
  assert.equal(describeEndpoint({ kind: "tcp", host: "10.0.0.1", port: 2376 }), "tcp://10.0.0.1:2376");
  assert.equal(describeEndpoint({ kind: "socket", path: "/run/a.sock" }), "unix:///run/a.sock");
});

test("a value that `ssh` or a shell could read as something else is none", () => {
  for (const host of ["shop", "shop.example", "10.0.0.1", "::1", "fe80::1%eth0", "build_1"])
    assert.ok(isHostName(host), host);
  for (const host of ["", "-oProxyCommand=x", "a b", "a;b", "$(a)", "a`b`", "a\nb", "user@host", "a/b"]) {
    assert.ok(!isHostName(host), host);
    assert.throws(() => connectEngine({ kind: "ssh", host, sudo: false }), isCtrlPlaneError);
  }
  for (const user of ["ada", "ada.b", "ada@corp.example"]) assert.ok(isUserName(user), user);
  for (const user of ["", "-x", "a b", "a;b", "$USER", "a\nb"]) assert.ok(!isUserName(user), user);
  assert.ok(isPort(22) && !isPort(0) && !isPort(65_536) && !isPort("22"));
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3cqidyUBbKgQqFUgJguZxaWNy1TyRVJbd8rNM1n7s3";
  assert.ok(isHostKey(key) && isHostKey(`${key} a comment\n${key}\n`));
  for (const wrong of ["", "SHA256:abc", `@revoked * ${key}`, "ssh-ed25519"]) assert.ok(!isHostKey(wrong), wrong);
});
