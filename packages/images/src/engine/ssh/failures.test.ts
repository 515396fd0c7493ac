import assert from "node:assert/strict";
import { test } from "node:test";
import type { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { SshEndpoint } from "../endpoint.ts";
import { connectFailure, dialFailure, forwardFailure, isThrottled, isUnknownHostKey } from "./failures.ts";

const endpoint: SshEndpoint = { kind: "ssh", host: "shop.example", sudo: false };

// What OpenSSH 9, sudo 1.9 and docker 20 to 28 say.
const connecting = [
  ["deploy@shop.example: Permission denied (publickey).", "UNAUTHORIZED", /refuses the login/],
  ['Load key "/run/key": error in libcrypto\nPermission denied (publickey).', "UNAUTHORIZED", /cannot read/],
  ["ssh: Could not resolve hostname shop.example: Name or service not known", "UNAVAILABLE", /no such host/],
  ["ssh: connect to host shop.example port 22: Connection refused", "UNAVAILABLE", /nothing listens/],
  ["ssh: connect to host shop.example port 22: Connection timed out", "UNAVAILABLE", /does not answer/],
  ["kex_exchange_identification: Connection closed by remote host", "UNAVAILABLE", /drops new connections/],
  ["Connection closed by UNKNOWN port 65535", "UNAVAILABLE", /drops new connections/],
  ["", "UNAVAILABLE", /cannot connect$/],
] as const;

const dialling = [
  ["sudo: a password is required", "FORBIDDEN", /password/],
  ["bash: line 1: docker: command not found", "UNSUPPORTED", /no `docker` command/],
  ["sudo: docker: command not found", "UNSUPPORTED", /no `docker` command/],
  ["env: 'sudo': No such file or directory", "UNSUPPORTED", /no `sudo`/],
  ["dial unix /var/run/docker.sock: connect: permission denied", "FORBIDDEN", /may not use the engine's socket/],
  ["dial unix /var/run/docker.sock: connect: no such file or directory", "UNAVAILABLE", /does not run/],
  ["This account is currently not available.", "FORBIDDEN", /run no command/],
] as const;

test("each failure has its code, and says where", () => {
  const check = (error: CtrlPlaneError, code: string, words: RegExp): void => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.match(error.message, /^ssh:\/\/shop\.example: /);
    assert.equal(error.retryable, code === "UNAVAILABLE");
    assert.notEqual(error.hint, undefined);
  };
  for (const [said, code, words] of connecting) check(connectFailure(endpoint, said), code, words);
  for (const [said, code, words] of dialling) check(dialFailure(endpoint, said), code, words);
});

test("a host that is too busy is told from one that refuses, and an unknown key from one that has changed", () => {
  assert.ok(isThrottled("kex_exchange_identification: Connection closed by remote host"));
  assert.ok(!isThrottled("ssh: connect to host shop.example port 22: Connection refused"));
  assert.ok(!isThrottled("Connection timed out during banner exchange\nConnection to 10.0.0.5 port 22 timed out"));
  const unknown = "No ED25519 host key is known for shop.example and you have requested strict checking.";
  assert.ok(isUnknownHostKey(`${unknown}\nHost key verification failed.`));
  assert.ok(!isUnknownHostKey("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed."));
});

test("a closed port is told as the system tells it, and what is forbidden as such", () => {
  const address = { host: "10.0.0.2", port: 80 };
  const failureOf = (reason: string, isForbidden = false): Error & { code?: unknown } =>
    forwardFailure("ssh://shop.example", address, { isForbidden, reason });
  assert.equal(failureOf("Connection refused").code, "ECONNREFUSED");
  assert.equal(failureOf("No route to host").code, "EHOSTUNREACH");
  assert.equal(failureOf("open failed", true).code, "UNSUPPORTED");
  assert.match(failureOf("No route to host").message, /No route/);
});
