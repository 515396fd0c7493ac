import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError } from "@ctrlplane/core";
import { finish, makePlane, withBench } from "./engine-fixture.ts";

test("a provider hears which releases are left, none after a destroy, and where it fails the change stands", async () => {
  await withBench(async ({ folder, platform, stack }) => {
    const heard: string[] = [];
    let problem: CtrlPlaneError | undefined;
    const plane = makePlane(
      folder,
      platform.socket,
      () => undefined,
      7,
      (provider) => ({
        ...provider,
        retain: ({ instance, releases }) => {
          heard.push(`${instance.service} ${releases.join()}`);
          return problem === undefined ? Promise.resolve() : Promise.reject(problem);
        },
      }),
    );
    try {
      const declared = (image: string) => stack(`  web: { image: "${image}", keep: 2 }`);
      const deploy = async (image: string) => finish(plane.stacks.deploy(await declared(image)));
      for (const image of ["ok:1", "ok:2"]) assert.equal((await deploy(image)).exitCode, 0);
      assert.deepEqual(heard, [], "nothing was let go");
      assert.equal((await deploy("ok:3")).exitCode, 0);
      assert.deepEqual(heard, ["web 2,3"]);

      problem = new CtrlPlaneError("UNAVAILABLE", "the connection broke");
      const { events, exitCode } = await deploy("ok:4");
      assert.equal(exitCode, 0);
      const warnings = events.filter(({ type, level }) => type === "diagnostic" && level === "warn");
      assert.match(
        warnings[0]?.message ?? "",
        /^images of older releases of web could not be removed: the connection broke$/,
      );

      problem = undefined;
      assert.equal((await finish(plane.stacks.rollback(await declared("ok:4")))).exitCode, 0);
      assert.equal((await finish(plane.stacks.destroy(await declared("ok:4"), {}))).exitCode, 0);
      assert.deepEqual(heard.slice(1), ["web 3,4", "web "]);
    } finally {
      await plane.close();
    }
  });
});
