import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { PortSpec } from "@ctrlplane/core/provider";
import { addressOf, listenings, loopbackAddress } from "./address.ts";

const instance = { id: "inst_2x4y6z8a0b2c4d6e8f0g2h4j6k" };
const published: PortSpec = { containerPort: 3000, hostPort: 8080, protocol: "auto" };
const internal: PortSpec = { containerPort: 35432, protocol: "tcp" };

test("a published port is reached where it is published", () => {
  assert.deepEqual(addressOf(instance, { ports: [published], domains: [] }), {
    host: "127.0.0.1",
    ports: [{ containerPort: 3000, port: 8080, url: "http://127.0.0.1:8080" }],
    published: ["http://127.0.0.1:8080"],
  });
  assert.deepEqual(listenings(instance.id, { ports: [published], domains: [] }), [
    { containerPort: 3000, protocol: "auto", address: "*", port: 8080, isPublished: true },
  ]);
});

test("an unpublished port is reached at the loopback address of the instance", () => {
  const host = loopbackAddress(instance.id);
  assert.match(host, /^127\.[1-9]\d{0,2}\.\d{1,3}\.[1-9]\d{0,2}$/);
  assert.deepEqual(addressOf(instance, { ports: [internal], domains: [] }), {
    host,
    ports: [{ containerPort: 35432, port: 25432, url: `tcp://${host}:25432` }],
    published: [],
  });
});

test("with published and unpublished ports, others reach all at the loopback address", () => {
  const address = addressOf(instance, { ports: [published, internal], domains: [] });
  const host = loopbackAddress(instance.id);
  assert.equal(address.host, host);
  assert.deepEqual(
    address.ports.map((each) => each.port),
    [23000, 25432],
  );
  assert.deepEqual(address.published, ["http://127.0.0.1:8080"]);
  assert.deepEqual(
    listenings(instance.id, { ports: [published, internal], domains: [] }).map(
      ({ address: at, port }) => `${at}:${port}`,
    ),
    ["*:8080", `${host}:23000`, `${host}:25432`],
  );
});

test("a given address, IPv6 included, stands in the URL", () => {
  assert.deepEqual(addressOf(instance, { ports: [{ ...published, address: "10.0.0.2" }], domains: [] }).published, [
    "http://10.0.0.2:8080",
  ]);
  assert.deepEqual(addressOf(instance, { ports: [{ ...published, address: "::1" }], domains: [] }).published, [
    "http://[::1]:8080",
  ]);
});

test("no two of a thousand instances share a loopback address", () => {
  const addresses = Array.from({ length: 1000 }, (_, index) => loopbackAddress(`inst_${index}`));
  assert.equal(new Set(addresses).size, 1000);
});

test("with domains, people use them and other services the loopback address", () => {
  const domains = [
    { host: "shop.example.com", path: "/" },
    { host: "example.com", path: "/api" },
  ];
  const address = addressOf(instance, { ports: [published], domains });
  assert.equal(address.ports[0]?.url, `http://${loopbackAddress(instance.id)}:23000`);
  assert.deepEqual(address.published, ["http://shop.example.com:8080", "http://example.com:8080/api"]);
});
