import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { finish, running, withBench } from "./engine-fixture.ts";

const web = (image: string, provider: string, more = ""): string =>
  `  web: { image: "${image}", strategy: recreate, provider: ${provider}${more} }`;

describe("a service that moved", { concurrency: 6 }, () => {
  test("moves back by a rollback, to the release that served there, also where nothing else is left there", async () => {
    await withBench(async ({ plane, platform, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const declare = (services: string) => stack(services, { far: away.socket });
      for (const image of ["ok:1", "ok:2"]) await finish(plane.stacks.deploy(await declare(web(image, "ref"))));
      const moved = await declare(web("ok:3", "far"));
      assert.equal((await finish(plane.stacks.deploy(moved))).exitCode, 0);
      assert.deepEqual([await running(platform), await running(away)], [[], ["shop-web ok:3 100%"]]);

      assert.equal((await finish(plane.stacks.rollback(moved))).exitCode, 0);
      assert.deepEqual([await running(platform), await running(away)], [["shop-web ok:2 100%"], []]);
      assert.equal((await finish(plane.stacks.rollback(moved))).exitCode, 0);
      assert.deepEqual([await running(platform), await running(away)], [[], ["shop-web ok:3 100%"]]);
    });
  });

  test("is not taken away by a rollback that cannot bring it back", async () => {
    await withBench(async ({ plane, platform, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const declare = (services: string) => stack(services, { far: away.socket });
      await finish(plane.stacks.deploy(await declare(web("ok:1", "far"))));
      const moved = await declare(web("ok:1", "ref"));
      await finish(plane.stacks.deploy(moved));
      await away.kill();
      await assert.rejects(plane.stacks.rollback(moved), (error: { code: string; message: string }) => {
        assert.equal(error.code, "UNAVAILABLE");
        assert.match(error.message, /^change #2 took web away from far, which cannot be asked: /);
        return true;
      });
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
      // Of a later change it is no matter.
      const next = await declare(web("ok:2", "ref"));
      assert.equal((await finish(plane.stacks.deploy(next))).exitCode, 0);
      assert.equal((await finish(plane.stacks.rollback(next))).exitCode, 0);
      assert.deepEqual(await running(platform), ["shop-web ok:1 100%"]);
    });
  });

  test("a service that left the file comes back by a rollback from where nothing else is", async () => {
    await withBench(async ({ plane, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const declare = (services: string) => stack(services, { far: away.socket });
      const db = '  db: { image: "ok:1" }';
      await finish(plane.stacks.deploy(await declare(`${web("ok:1", "far")}\n${db}`)));
      await finish(plane.stacks.deploy(await declare(`${web("ok:2", "far")}\n${db}`)));
      const left = await declare(db);
      assert.equal((await finish(plane.stacks.deploy(left))).exitCode, 0);
      assert.deepEqual(await running(away), []);
      assert.equal((await finish(plane.stacks.rollback(left))).exitCode, 0);
      assert.deepEqual(await running(away), ["shop-web ok:2 100%"]);
    });
  });
});
