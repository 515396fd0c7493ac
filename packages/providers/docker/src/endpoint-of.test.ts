import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { endpointOf } from "./endpoint-of.ts";
import type { DockerOptions } from "./options.ts";

const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/** Of options in an empty home folder, with these variables. */
function place(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), "ctrlplane-endpoint-"));
  t.after(() => rmSync(home, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const of = (options: DockerOptions, env: Record<string, string> = {}, systemSocket?: string) =>
    endpointOf(options, { name: "docker", folder: join(home, "shop"), env: { HOME: home, ...env } }, systemSocket);
  return { home, of };
}

function contextFiles(name: string, meta: object, tls: Record<string, string> = {}): Record<string, string> {
  const id = createHash("sha256").update(name).digest("hex");
  const pems = Object.entries(tls).map(([file, text]) => [`.docker/contexts/tls/${id}/docker/${file}`, text]);
  return { [`.docker/contexts/meta/${id}/meta.json`]: JSON.stringify(meta), ...Object.fromEntries(pems) };
}

test("options name a host, a socket, an address with certificates", (t) => {
  const { home, of } = place(t, { "shop/ca.pem": pem });
  assert.deepEqual(of({ host: "shop.example", user: "deploy", key: "~/.ssh/id", port: 2222, sudo: true }), {
    kind: "ssh",
    host: "shop.example",
    user: "deploy",
    key: join(home, ".ssh/id"),
    port: 2222,
    sudo: true,
  });
  assert.deepEqual(of({ host: "a", key: pem }), { kind: "ssh", host: "a", key: pem, sudo: false });
  assert.deepEqual(of({ socket: "docker.sock" }), { kind: "socket", path: join(home, "shop/docker.sock") });
  assert.deepEqual(of({ url: "tcp://10.0.0.5", ca: "ca.pem" }), {
    kind: "tcp",
    host: "10.0.0.5",
    port: 2376,
    tls: { ca: pem },
  });
  assert.throws(() => of({ url: "tcp://10.0.0.5", ca: "none.pem" }), /there is no file .*none\.pem/);
});

test("`host: local` is this machine", (t) => {
  const { of } = place(t);
  assert.deepEqual(of({ host: "local" }, { DOCKER_HOST: "unix:///a" }), { kind: "socket", path: "/a" });
});

test("without options as the docker CLI: DOCKER_HOST, DOCKER_CONTEXT, the current context", (t) => {
  const { of } = place(t, {
    ".docker/config.json": JSON.stringify({ currentContext: "here" }),
    ...contextFiles("here", { Endpoints: { docker: { Host: "unix:///here.sock" } } }),
    ...contextFiles("there", { Endpoints: { docker: { Host: "tcp://there" } } }, { "ca.pem": pem, "key.pem": "k" }),
    "certs/ca.pem": pem,
  });
  assert.deepEqual(of({}), { kind: "socket", path: "/here.sock" });
  const there = { kind: "tcp", host: "there", port: 2376, tls: { ca: pem, key: "k", verify: true } };
  assert.deepEqual(of({}, { DOCKER_CONTEXT: "there" }), there);
  assert.deepEqual(of({ context: "there" }, { DOCKER_HOST: "unix:///a" }), there);
  const both = { DOCKER_CONTEXT: "there", DOCKER_HOST: "ssh://ada@shop.example:2222" };
  assert.deepEqual(of({}, both), { kind: "ssh", host: "shop.example", user: "ada", port: 2222, sudo: false });
  assert.throws(() => of({ context: "nowhere" }), isInvalid);
});

test("DOCKER_TLS_VERIFY and DOCKER_CERT_PATH", (t) => {
  const { home, of } = place(t, { "certs/ca.pem": pem, ".docker/cert.pem": pem });
  const env = { DOCKER_HOST: "tcp://10.0.0.5:1", DOCKER_TLS_VERIFY: "1" };
  const endpoint = { kind: "tcp", host: "10.0.0.5", port: 1 };
  assert.deepEqual(of({}, { ...env, DOCKER_CERT_PATH: join(home, "certs") }), {
    ...endpoint,
    tls: { ca: pem, verify: true },
  });
  assert.deepEqual(of({}, env), { ...endpoint, tls: { cert: pem, verify: true } });
  assert.deepEqual(of({}, { ...env, DOCKER_TLS_VERIFY: "" }), endpoint);
});

test("the rootless socket where the other one does not exist", (t) => {
  const { home, of } = place(t, { "run/docker.sock": "", "system.sock": "" });
  const env = { XDG_RUNTIME_DIR: join(home, "run") };
  const [system, none] = [join(home, "system.sock"), join(home, "none.sock")];
  assert.deepEqual(of({}, env, system), { kind: "socket", path: system });
  assert.deepEqual(of({}, env, none), { kind: "socket", path: join(home, "run/docker.sock") });
  assert.deepEqual(of({}, {}, none), { kind: "socket", path: none });
});

function isInvalid(error: unknown): boolean {
  return isCtrlPlaneError(error) && error.code === "INVALID";
}
