import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import { Refused } from "../refused.ts";
import { serves } from "../spec.ts";

export const address = group("address", ["deploy"], {
  "is-pure": [
    "`address` needs no platform, and gives the same for the same.",
    async (bench) => {
      const web = await bench.service();
      const spec = web.spec(serves("one"));
      const apart = bench.harness.unreachable();
      assert.deepEqual(apart.address(web.instance, spec).ports, bench.provider.address(web.instance, spec).ports);
      assert.deepEqual(bench.provider.address(web.instance, spec), bench.provider.address(web.instance, spec));
      await apart.close();
    },
  ],
  "has-each-port-in-order": [
    "There is one entry for each port of the spec, in its order, each with a URL of that port.",
    async (bench) => {
      const web = await bench.service();
      const more = { containerPort: 9123, protocol: "http" } as const;
      const plain = web.spec(serves("one"));
      const spec = { ...plain, ports: [...plain.ports, more] };
      web.requireAccepted(spec);
      const { ports, host } = bench.provider.address(web.instance, spec);
      assert.notEqual(host, "");
      assert.deepEqual(
        ports.map((each) => each.containerPort),
        spec.ports.map((each) => each.containerPort),
      );
      for (const { port, url } of ports) assert.ok(url.endsWith(`:${port}`), `${url} for port ${port}`);
    },
  ],
  "is-known-before": [
    "The published addresses that `address` tells before a deploy are those of `status` after it.",
    async (bench) => {
      const web = await bench.service();
      const before = bench.provider.address(web.instance, web.spec(serves("one"))).published;
      await web.up(serves("one"));
      assert.deepEqual((await web.status()).addresses, before);
    },
  ],
  "others-reach-it-there": [
    "A service answers at the URL that other services are wired to.",
    async (bench) => {
      const web = await bench.service();
      const { spec } = await web.up(serves("one"));
      const [port] = bench.provider.address(web.instance, spec).ports;
      if (port === undefined) throw new Refused("it has no port");
      assert.equal((await bench.harness.ask(port.url))?.version, "one");
    },
  ],
  "an-unpublished-port-is-reached-by-others": [
    "A port without a host port answers other services, and is published nowhere.",
    async (bench) => {
      const web = await bench.service();
      const ports = web.spec(serves("one")).ports.map(({ hostPort: _, ...each }) => each);
      const { spec } = await web.up(serves("one"), { ports });
      const {
        ports: [port],
        published,
      } = bench.provider.address(web.instance, spec);
      if (port === undefined) throw new Refused("it has no port");
      assert.deepEqual(published, []);
      assert.equal((await bench.harness.ask(port.url))?.version, "one");
    },
  ],
  "stays-over-releases": [
    "The address stays over deploys, restarts and changes of scale.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.up(serves("one"));
      const before = bench.provider.address(web.instance, one.spec);
      const two = await web.up(serves("two"), { scale: { replicas: 2 } });
      assert.deepEqual(bench.provider.address(web.instance, two.spec), before);
      await bench.provider.restart(web.again(two), bench.context());
      assert.equal((await web.ask(one.spec))?.version, "two");
    },
  ],
  "two-services-have-two": [
    "Two services are wired to two addresses.",
    async (bench) => {
      const [web, api] = [await bench.service(), await bench.service("api")];
      const urls = [web, api].map(
        (each) => bench.provider.address(each.instance, each.spec(serves("one"))).ports[0]?.url ?? each.instance.name,
      );
      assert.equal(new Set(urls).size, 2);
    },
  ],
});
