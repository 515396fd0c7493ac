import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import type { ServiceSpec } from "@ctrlplane/core/provider";
import type { LocalFacts } from "../facts.ts";
import { testIdentity, testSpec } from "../fixtures.test.support.ts";
import { readListening } from "../process/listening-sockets.ts";
import { check } from "./check.ts";

const instance = testIdentity("local_00000000000000000000000000");

function found(change: Partial<ServiceSpec>, facts: Partial<LocalFacts> = {}): readonly string[] {
  return check(testSpec("/srv/web", change), { facts: { ...facts } }, instance).map(
    (each) => `${each.severity} ${each.field} ${each.code}`,
  );
}

test("a plain service has no problems", () => {
  assert.deepEqual(
    found({
      ports: [{ containerPort: 3000, hostPort: 8080, protocol: "auto" }],
      volumes: [{ path: "data", readOnly: false }],
    }),
    [],
  );
});

test("an error says what to do", () => {
  const everything = check(
    testSpec("/srv/web", {
      image: { kind: "reference", reference: "postgres:17" },
      scale: { replicas: { min: 1, max: 3 }, memoryMb: 64, gpuCount: 1 },
      ports: [{ containerPort: 3000, hostPort: 80, protocol: "tcp" }],
      volumes: [{ path: "/data", readOnly: true, sizeMb: 5 }],
      files: [{ path: "/etc/app.conf", source: "/x", digest: "", contentBase64: "" }],
      domains: [{ host: "example.com", path: "/" }],
      tls: {},
      stop: { signal: "SIGNOT", graceMs: 1 },
    }),
    { facts: { lowestPort: 1024, limits: { cpu: false, memory: false, reason: "no control groups" } } },
    instance,
  );
  assert.equal(everything.length, 12);
  for (const each of everything) {
    assert.equal(each.severity, "error");
    assert.ok(each.hint !== undefined && each.hint !== "", each.code);
  }
});

test("images that are no files", () => {
  assert.deepEqual(found({ image: { kind: "reference", reference: "nginx" } }), ["error image image-reference"]);
  assert.deepEqual(found({ image: { kind: "build", build: { context: "/x", args: {}, secrets: [] } } }), [
    "error build image-build",
  ]);
});

test("fields without effect are errors, and warnings by the user's word", () => {
  const scale = { replicas: { min: 2, max: 4 }, diskMb: 100 } as const;
  assert.deepEqual(found({ scale }), ["error scale.replica autoscale", "error scale.disk limit-impossible"]);
  assert.deepEqual(found({ scale, accept: ["scale.replica", "scale.disk"] }), [
    "warning scale.replica autoscale",
    "warning scale.disk limit-impossible",
  ]);
  assert.deepEqual(found({ volumes: [{ path: "data", readOnly: true }], accept: ["volumes.readOnly"] }), [
    "warning volumes[0].readOnly volume-read-only",
  ]);
});

test("limits depend on what control groups allow", () => {
  const scale = { replicas: 1, cpuMillis: 500, memoryMb: 64 };
  assert.deepEqual(found({ scale }, { limits: { cpu: true, memory: false, reason: "memory is not delegated" } }), [
    "error scale.memory limit-impossible",
  ]);
});

test("ports: privileged, in use, of another machine, clashing", () => {
  const at = (hostPort: number, address?: string) => ({
    containerPort: 3000,
    hostPort,
    protocol: "auto" as const,
    ...(address === undefined ? {} : { address }),
  });
  assert.deepEqual(found({ ports: [at(80)] }, { lowestPort: 1024 }), ["error ports[0] port-privileged"]);
  assert.deepEqual(found({ ports: [at(8080, "10.9.9.9")] }, { addresses: ["10.0.0.2"] }), [
    "error ports[0] address-unknown",
  ]);
  const internal = (containerPort: number) => ({ containerPort, protocol: "tcp" as const });
  assert.deepEqual(found({ ports: [internal(3000), internal(13000)] }), ["error ports[1] port-clash"]);
});

test("env.PORT that equals a container port is replaced, another value is an error", () => {
  const ports = [
    { containerPort: 3000, protocol: "auto" as const },
    { containerPort: 9090, protocol: "auto" as const },
  ];
  assert.deepEqual(found({ ports, env: { PORT: "3000", PORT_9090: "9090" } }), [
    "info env.PORT port-replaced",
    "info env.PORT_9090 port-replaced",
  ]);
  assert.deepEqual(found({ ports, env: { PORT: "4000" } }), ["error env.PORT port-variable"]);
  assert.deepEqual(found({ ports, env: { PORT_9090: "3000", PORT_1: "x" } }), ["error env.PORT_9090 port-variable"]);
  assert.deepEqual(found({ env: { PORT: "4000" } }), []);
});

test("mounts are relative, inside, and none within another", () => {
  const volume = (path: string) => ({ path, readOnly: false });
  assert.deepEqual(found({ volumes: [volume("/data")] }), ["error volumes[0].path path-absolute"]);
  assert.deepEqual(found({ volumes: [volume("../data")] }), ["error volumes[0].path path-outside"]);
  assert.deepEqual(found({ volumes: [volume("./")] }), ["error volumes[0].path path-outside"]);
  assert.deepEqual(found({ volumes: [volume("data"), volume("data/cache")] }), ["error volumes[1].path path-nested"]);
});

test("a health check needs a port that there is", () => {
  const base = {
    intervalMs: 1,
    timeoutMs: 1,
    retries: 1,
    graceMs: 1,
    onFailure: { action: "restart", declared: false },
  } as const;
  assert.deepEqual(found({ health: { ...base, probe: { kind: "tcp" } } }), ["error health.tcp health-port"]);
  const ports = [{ containerPort: 3000, protocol: "auto" as const }];
  assert.deepEqual(found({ ports, health: { ...base, probe: { kind: "http", path: "/up", port: 4000 } } }), [
    "error health.port health-port",
  ]);
  assert.deepEqual(found({ ports, health: { ...base, probe: { kind: "http", path: "/up" } } }), []);
});

test("a string command is told to run by a shell, an empty one is refused", () => {
  assert.deepEqual(found({ command: { shell: "node server.js" } }), ["info command command-shell"]);
  assert.deepEqual(found({ command: { args: [] } }), ["error command command-empty"]);
});

test("a port of another stack is refused with its holder; one of the own stack is the plan's to hand on", () => {
  const listener = { address: "*", port: 8080, containerPort: 3000, protocol: "auto" } as const;
  const ports = [
    { containerPort: 9090, protocol: "tcp" as const },
    { containerPort: 3000, hostPort: 8080, protocol: "auto" as const },
  ];
  const other = { ...listener, instance: "blog-web", stack: "blog", service: "web", lineage: "lin_1" };
  const [taken] = check(testSpec("/srv/web", { ports }), { facts: { published: [other] } }, instance);
  assert.deepEqual(taken, {
    severity: "error",
    code: "port-in-use",
    field: "ports[1]",
    summary: "port 8080 is published by web of stack blog",
    hint: "Publish another port, or give each of the two `domains` of its own, or remove blog-web first.",
  });
  const { stack, lineage } = instance;
  const own = { ...other, instance: "shop-old", stack, lineage };
  assert.deepEqual(found({ ports }, { published: [own] }), []);
  assert.deepEqual(found({ ports }, { published: [{ ...own, lineage: "lin_1" }] }), ["error ports[1] port-in-use"]);
  assert.deepEqual(found({ ports }, { published: [{ ...other, protocol: "udp" }] }), []);
  assert.deepEqual(found({ ports }, { published: [{ ...other, address: "127.0.0.2" }] }), [
    "error ports[1] port-in-use",
  ]);
});

test("domains share a port where they differ", () => {
  const listener = { address: "*", port: 8080, containerPort: 3000, protocol: "auto" } as const;
  const ports = [{ containerPort: 3000, hostPort: 8080, protocol: "http" as const }];
  const of = (domains: readonly { host: string; path: string }[]) => ({
    published: [{ ...listener, instance: "blog-web", stack: "blog", service: "web", domains }],
  });
  const shop = [{ host: "shop.example.com", path: "/" }];
  assert.deepEqual(found({ ports, domains: shop }, of([{ host: "blog.example.com", path: "/" }])), []);
  assert.deepEqual(found({ ports, domains: shop }, of([{ host: "shop.example.com", path: "/blog" }])), []);
  assert.deepEqual(found({ ports }, of(shop)), []);
  assert.deepEqual(found({ ports, domains: shop }, of([{ host: "SHOP.example.com", path: "" }])), [
    "error ports[0] port-in-use",
  ]);
  assert.deepEqual(found({ domains: shop }), ["error domains domains"]);
  assert.deepEqual(found({ domains: shop, accept: ["domains"] }), ["warning domains domains"]);
});

test("a port that somebody listens on is refused, at that address alone", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  // A TCP server on an address has one.
  const { port } = server.address() as AddressInfo;
  const listening = readListening();
  const at = (address: string) => ({ containerPort: 3000, hostPort: port, address, protocol: "auto" as const });
  const [inUse] = check(testSpec("/srv/web", { ports: [at("127.0.0.1")] }), { facts: { listening } }, instance);
  assert.match(inUse?.summary ?? "", new RegExp(`^port ${port} is in use by pid ${process.pid} `));
  assert.deepEqual(found({ ports: [at("127.0.0.2")] }, { listening }), []);
});

test("a port whose holder has ended since it was seen is free", () => {
  const ports = [{ containerPort: 3000, hostPort: 8080, protocol: "auto" as const }];
  const listening = [{ transport: "tcp", address: "*", port: 8080, inode: "0" }] as const;
  assert.deepEqual(found({ ports }, { listening }), []);
});
