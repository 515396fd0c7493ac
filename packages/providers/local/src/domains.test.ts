import { strict as assert } from "node:assert";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { Provider, ServiceSpec } from "@ctrlplane/core/provider";
import { deployRequest, workbench } from "./workbench.test.support.ts";
import { testIdentity, testRelease } from "./fixtures.test.support.ts";
import { freePort } from "./process/ports.ts";

const server = `require("node:http").createServer((q, r) => r.end(process.env.NAME)).listen(process.env.PORT)`;

function ask(port: number, host: string, path = "/"): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, headers: { host }, agent: false }, (response) => {
      text(response).then((body) => resolve(response.statusCode === 200 ? body : String(response.statusCode)), reject);
    })
      .once("error", reject)
      .end();
  });
}

test("services of two stacks share a port by their domains, and one without gets the rest", async (t) => {
  const { write, prepare, provider, instance, context } = await workbench(t);
  await write("server.js", server);
  const hostPort = await freePort(new Set());
  const ports = [{ containerPort: 3000, hostPort, protocol: "auto" as const }];
  const up = async (stack: string, service: string, change: Partial<ServiceSpec>, number = 1): Promise<Provider> => {
    const { spec, image } = await prepare(1, { ports, env: { NAME: service }, ...change });
    const release = testRelease(testIdentity(instance.platformId, service, stack), spec, image, number);
    assert.deepEqual(provider.check(spec, await provider.health(context), release.instance), []);
    await provider.deploy(deployRequest(release, { deployment: `dep_${service}_${number}` }), context);
    return provider;
  };

  await up("shop", "web", { domains: [{ host: "shop.example.com", path: "/" }] });
  assert.equal(await ask(hostPort, `shop.example.com:${hostPort}`), "web");
  assert.equal(await ask(hostPort, "other.example.com"), "404");
  await up("shop", "api", { domains: [{ host: "shop.example.com", path: "/api" }] });
  await up("blog", "blog", { domains: [{ host: "*.blog.example.com", path: "/" }] });
  await up("shop", "rest", {});
  const answers = async (): Promise<readonly string[]> =>
    Promise.all([
      ask(hostPort, "Shop.Example.com"),
      ask(hostPort, "shop.example.com", "/api/orders?x=1"),
      ask(hostPort, "shop.example.com", "/apix"),
      ask(hostPort, "anna.blog.example.com"),
      ask(hostPort, "127.0.0.1"),
    ]);
  assert.deepEqual(await answers(), ["web", "api", "web", "blog", "rest"]);

  await t.test("other services reach one at its own address, whatever its domains", async () => {
    const { spec } = await prepare(1, { ports, domains: [{ host: "shop.example.com", path: "/" }] });
    const { host, ports: reached } = provider.address(instance, spec);
    assert.equal(await (await fetch(`http://${host}:${reached[0]?.port}`)).text(), "web");
  });

  await t.test("what is taken is refused", async () => {
    const { spec, image } = await prepare(1, { ports });
    const other = testRelease(testIdentity(instance.platformId, "second", "blog"), spec, image);
    await assert.rejects(provider.deploy(deployRequest(other), context), /is published by shop-rest/);
  });

  await t.test("a change of domains replaces no replica; a removal leaves the others", async () => {
    const pid = async () => (await provider.status({ instance }, context)).replicas.map((each) => each.startedAt);
    const before = await pid();
    await up("shop", "web", { domains: [{ host: "new.example.com", path: "/" }] }, 2);
    assert.deepEqual(await pid(), before);
    assert.equal(await ask(hostPort, "new.example.com"), "web");
    assert.equal(await ask(hostPort, "shop.example.com"), "rest");
    await provider.deprovision({ instance: testIdentity(instance.platformId, "rest"), volumes: false }, context);
    assert.deepEqual(await answers(), ["404", "api", "404", "blog", "404"]);
  });
});
