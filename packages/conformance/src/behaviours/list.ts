import assert from "node:assert/strict";
import type { InstancePage, ListSelector, ObservedInstance } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { eventually, rejects } from "../expect.ts";
import { serves } from "../spec.ts";

/** Each instance of a selector, page by page. */
async function all(bench: Bench, selector: ListSelector): Promise<readonly ObservedInstance[]> {
  const found: ObservedInstance[] = [];
  let page: InstancePage = await bench.provider.list(selector, bench.context());
  for (;;) {
    found.push(...page.instances);
    if (page.cursor === undefined) return found;
    page = await bench.provider.list({ ...selector, cursor: page.cursor }, bench.context());
    assert.ok(found.length < 1_000, "there is always another page");
  }
}

async function several(bench: Bench, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `web${index}`);
  const services = await Promise.all(names.map((name) => bench.service(name)));
  await Promise.all(services.map((each) => each.up(serves("one"))));
  return services.map((each) => each.instance.name);
}

export const list = group("list", ["deploy"], {
  "knows-every-instance": [
    "`list` of a stack gives each of its instances once, and none of another.",
    async (bench) => {
      const names = await several(bench, 3);
      const other = await bench.service("web", { stack: `${bench.stack}x` });
      await other.up(serves("one"));
      const found = await all(bench, { stack: bench.stack });
      assert.deepEqual(found.map((each) => each.name).toSorted(), names.toSorted());
    },
  ],
  "knows-other-stacks": [
    "`list` without a stack gives instances of all.",
    async (bench) => {
      const [web, other] = [await bench.service(), await bench.service("web", { stack: `${bench.stack}x` })];
      await Promise.all([web.up(serves("one")), other.up(serves("one"))]);
      const names = (await all(bench, {})).map((each) => each.name);
      assert.ok(names.includes(web.instance.name) && names.includes(other.instance.name));
    },
  ],
  "pages-lose-nothing": [
    "Pages of one give each instance exactly once.",
    async (bench) => {
      const names = await several(bench, 3);
      const found = await all(bench, { stack: bench.stack, limit: 1 });
      assert.deepEqual(found.map((each) => each.name).toSorted(), names.toSorted());
    },
  ],
  "a-page-is-no-larger": [
    "A page has no more instances than `limit`, and a cursor where there are more.",
    async (bench) => {
      await several(bench, 3);
      const page = await bench.provider.list({ stack: bench.stack, limit: 2 }, bench.context());
      assert.ok(page.instances.length <= 2);
      assert.notEqual(page.cursor, undefined);
    },
  ],
  "the-last-page-has-no-cursor": [
    "Where there is no more there is no cursor.",
    async (bench) => {
      await several(bench, 2);
      const page = await bench.provider.list({ stack: bench.stack, limit: 2 }, bench.context());
      const rest =
        page.cursor === undefined ? [] : await all(bench, { stack: bench.stack, limit: 2, cursor: page.cursor });
      assert.deepEqual([...page.instances, ...rest].map((each) => each.name).length, 2);
    },
  ],
  "an-unknown-stack-is-empty": [
    "A stack that nobody deployed has no instances.",
    async (bench) => {
      assert.deepEqual(await bench.provider.list({ stack: `${bench.stack}none` }, bench.context()), { instances: [] });
    },
  ],
  "says-what-status-says": [
    "`list` says of an instance what `status` says.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const { replicas: _, ...status } = await web.status();
      const [found] = await all(bench, { stack: bench.stack });
      assert.deepEqual(found, status);
    },
  ],
  "names-stack-and-service": [
    "An instance is listed with its stack and service.",
    async (bench) => {
      const web = await bench.service("web");
      await web.up(serves("one"));
      const [found] = await all(bench, { stack: bench.stack });
      assert.deepEqual([found?.name, found?.stack, found?.service], [`${bench.stack}-web`, bench.stack, "web"]);
    },
  ],
  "tells-the-image-that-runs": [
    "The image is the digest of what runs.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const { image } = await web.up(serves("two"));
      const [found] = await all(bench, { stack: bench.stack });
      assert.equal(found?.image, image.digest);
    },
  ],
  "sees-what-was-done-by-hand": [
    "A replica that somebody removed is not counted any more.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      const [gone] = await web.running();
      assert.ok(gone !== undefined);
      await bench.harness.remove(gone);
      await eventually("list sees it, or another runs", async () => {
        const [found] = await all(bench, { stack: bench.stack });
        const running = (await web.running()).filter((each) => each.id !== gone.id).length;
        const ready = found?.revisions.reduce((sum, each) => sum + each.ready, 0);
        return ready === running ? true : undefined;
      });
    },
  ],
  "fields-are-those-it-could-see": [
    "`fields` has a value for each of `observedFields`, and for no other.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const [found] = await all(bench, { stack: bench.stack });
      assert.deepEqual(Object.keys(found?.fields ?? {}).toSorted(), [...(found?.observedFields ?? [])].toSorted());
    },
  ],
  "observed-ports-are-the-real-ones": [
    "Ports, where they are observed, are those of the spec, and another release's after it.",
    async (bench) => {
      const [web, other] = [await bench.service(), await bench.service("other")];
      const { spec } = await web.up(serves("one"));
      const ports = async (): Promise<unknown> =>
        (await all(bench, { stack: bench.stack, names: [] }))[0]?.fields["ports"];
      if ((await ports()) === undefined) return;
      assert.deepEqual(await ports(), spec.ports);
      const moved = await web.up(serves("one"), { ports: other.spec(serves("one")).ports });
      assert.deepEqual(await ports(), moved.spec.ports);
    },
  ],
  "writes-nothing": [
    "`list`, `status` and `resources` change nothing.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const before = await bench.writes();
      await all(bench, {});
      await web.status();
      await bench.provider.resources({ instance: web.instance }, bench.context());
      assert.deepEqual(await bench.writes(), before);
    },
  ],
  "no-limit-is-no-page": [
    "A page of none is `INVALID`, or as long as the provider likes; it is never an endless reading.",
    async (bench) => {
      await several(bench, 1);
      const page = bench.provider.list({ stack: bench.stack, limit: 0 }, bench.context());
      const isRefused = await page.then(
        (seen) => seen.instances.length === 0 && seen.cursor !== undefined,
        () => true,
      );
      if (isRefused) await rejects(page, "INVALID");
    },
  ],
});
