import { strict as assert } from "node:assert";
import { test } from "node:test";
import { checkOptions, readOptions } from "./options.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3cqidyUBbKgQqFUgJguZxaWNy1TyRVJbd8rNM1n7s3";

const found = (options: Record<string, unknown>) =>
  checkOptions(options).map(({ severity, code, field }) => `${severity} ${code} ${field}`);

test("what pctl 1.1 takes, and what is new", () => {
  for (const options of [
    {},
    { host: "shop.example", user: "deploy", key: "~/.ssh/id_ed25519", sudo: true },
    { host: "10.0.0.5", port: "2222", hostKey, sudo: "false" },
    { host: "local" },
    { socket: "/run/user/1000/docker.sock", gatewayImage: "haproxy:3.0" },
    { url: "tcp://10.0.0.5:2376", ca: "ca.pem", cert: "cert.pem", key: "key.pem" },
    { context: "production" },
    { host: undefined, url: null },
  ]) {
    assert.deepEqual(checkOptions(options), [], JSON.stringify(options));
  }
});

test("an unknown option, with the one that is meant", () => {
  const [near, far] = checkOptions({ hostkey: hostKey, zone: "a" });
  assert.equal(near?.code, "unknown-option");
  assert.equal(near.hint, "Did you mean `hostKey`?");
  assert.match(far?.hint ?? "", /^It has host, user, key/);
});

test("values that are none", () => {
  const wrong = { host: "-oProxyCommand=x", user: "a b", port: 0, sudo: "yes", hostKey: "SHA256:abc", key: 5 };
  assert.deepEqual(
    found(wrong),
    Object.keys(wrong).map((name) => `error invalid-option options.${name}`),
  );
});

test("two places, and options of another place", () => {
  assert.deepEqual(found({ host: "a", url: "tcp://b" }), ["error contradictory-options options.url"]);
  assert.deepEqual(found({ host: "local", socket: "/a" }), []);
  assert.deepEqual(found({ socket: "/a", port: 22 }), ["error contradictory-options options.port"]);
  assert.deepEqual(found({ host: "a", ca: "ca.pem" }), ["error contradictory-options options.ca"]);
  assert.deepEqual(found({ url: "tcp://a", cert: "c" }), ["error missing-option options.cert"]);
  assert.deepEqual(found({ host: "local", user: "ada", sudo: true }), [
    "warning unused-option options.user",
    "warning unused-option options.sudo",
  ]);
});

test("numbers and truth values come out of text", () => {
  assert.deepEqual(readOptions({ host: "a", port: "22", sudo: "true", user: null }), {
    host: "a",
    port: 22,
    sudo: true,
  });
});
