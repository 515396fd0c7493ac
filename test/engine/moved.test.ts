import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ControlPlane, Stack } from "@ctrlplane/core";
import { finish, makePlane, running, withBench } from "./engine-fixture.ts";

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

      const told = await plane.stacks.history(moved);
      assert.deepEqual(
        told.map(({ number }) => number),
        [3, 2, 1],
      );
      assert.equal((await plane.stacks.change(moved, 1)).number, 1);

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

  test("leaves its releases where it was until as many newer ones as are kept are elsewhere", async () => {
    await withBench(async ({ folder, platform, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const { plane, heard } = listening(folder, platform.socket);
      try {
        const declare = (image: string, provider: string) =>
          stack(web(image, provider, ", keep: 2"), { far: away.socket });
        for (const image of ["ok:1", "ok:2"]) await deploy(plane, await declare(image, "far"));
        await deploy(plane, await declare("ok:3", "ref"));
        assert.deepEqual(heard, [], "a rollback goes there");
        await deploy(plane, await declare("ok:4", "ref"));
        assert.deepEqual(heard.splice(0), ["web@far  elsewhere"]);
        const back = await declare("ok:5", "far");
        assert.equal(
          (await plane.stacks.releases(back)).some(({ provider }) => provider === "far"),
          false,
        );
        await deploy(plane, await declare("ok:4", "ref"));
        await deploy(plane, await declare("ok:5", "ref"));
        assert.deepEqual(heard.splice(0), ["web@ref 2,3"], "it is asked once");

        // There and back again: what is left behind is the other one.
        for (const image of ["ok:6", "ok:7"]) await deploy(plane, await declare(image, "far"));
        assert.deepEqual(heard.splice(0), ["web@ref  elsewhere"]);
        await deploy(plane, await declare("ok:8", "ref"));
        assert.equal((await finish(plane.stacks.destroy(await declare("ok:8", "ref"), {}))).exitCode, 0);
        assert.deepEqual(heard.splice(0), ["web@ref ", "web@far  elsewhere"]);
      } finally {
        await plane.close();
      }
    });
  });

  test("is deployed where it is, whether or not the place that it left can be asked", async () => {
    await withBench(async ({ folder, platform, stack, otherPlatform }) => {
      const away = await otherPlatform();
      const { plane, heard } = listening(folder, platform.socket);
      try {
        const declare = (image: string, provider: string, others: Record<string, string> = { far: away.socket }) =>
          stack(web(image, provider, ", keep: 1"), others);
        await deploy(plane, await declare("ok:1", "far"));
        await deploy(plane, await declare("ok:1", "ref"));
        await away.kill();
        const { events, exitCode } = await finish(plane.stacks.deploy(await declare("ok:2", "ref")));
        assert.equal(exitCode, 0);
        const told = events.filter(({ type }) => type === "diagnostic").map(({ message }) => message);
        assert.match(
          told.join(),
          /^what was kept of web on far could not be removed: .*; where far is gone, take it out of the file$/,
        );
        const without = await finish(plane.stacks.deploy(await declare("ok:3", "ref", {})));
        assert.deepEqual([without.exitCode, without.events.filter(({ type }) => type === "diagnostic")], [0, []]);
        assert.deepEqual(heard, ["web@ref 2,3"]);
      } finally {
        await plane.close();
      }
    });
  });
});

/** A control plane whose providers tell what is to be retained: `service@provider releases`. */
function listening(folder: string, socket: string): { readonly plane: ControlPlane; readonly heard: string[] } {
  const heard: string[] = [];
  const plane = makePlane(
    folder,
    socket,
    () => undefined,
    7,
    (provider) => ({
      ...provider,
      retain: ({ instance, releases, isElsewhere = false }) => {
        heard.push(`${instance.service}@${instance.provider} ${releases.join()}${isElsewhere ? " elsewhere" : ""}`);
        return Promise.resolve();
      },
    }),
  );
  return { plane, heard };
}

async function deploy(plane: ControlPlane, declared: Stack): Promise<void> {
  assert.equal((await finish(plane.stacks.deploy(declared))).exitCode, 0);
}
