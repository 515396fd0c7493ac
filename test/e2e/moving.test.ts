import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Project } from "./fixture.ts";
import { serverFiles } from "./server-folder.ts";

/** Two data folders are two machines; both lie in the project's root, so that all their processes are seen. */
function declaration(project: Project, provider: string, volumes = ""): string {
  return `name: shop
providers:
  here: { type: local, options: { dir: ../here } }
  there: { type: local, options: { dir: ../there } }
services:
  web:
    provider: ${provider}
    image: ./web
    command: [node, server.js]
    ports: ["127.0.0.1:${project.port}:3000"]
${volumes}`;
}

/** In which data folder replicas run. */
function places(project: Project): string[] {
  return ["here", "there"].filter((name) => {
    const folder = join(project.root, name, "replicas");
    return existsSync(folder) && readdirSync(folder).length > 0;
  });
}

async function stopBoth(project: Project): Promise<void> {
  for (const dir of ["here", "there"])
    await project.expect(0, ["local", "stop", "--yes"], { env: { PCTL_LOCAL_DIR: join(project.root, dir) } });
}

describe("a service moves to another provider", { concurrency: true }, () => {
  test("up there, verified, then away here; one that fails there stays here", async () => {
    await using project = await Project.create();
    try {
      // Another host port there: both folders are on one machine.
      const there = { version: "there" };
      await project.write({ "pctl.yaml": declaration(project, "here"), ...serverFiles("web", { version: "here" }) });
      await project.ok("deploy");
      const before = project.replicas();

      const free = declaration(project, "there")
        .replace(/ports:.*/, "ports: [3000]")
        .replace("[3000]", "[{ containerPort: 3000 }]");
      await project.write({ "pctl.yaml": free, ...serverFiles("web", { version: "bad", crashes: true }) });
      const failed = await project.expect(3, ["deploy"]);
      assert.match(failed, /CRASH_LOOP/);
      assert.deepEqual(project.replicas(), before, "it left here although it did not get up there");
      assert.deepEqual(await project.versions(), ["here"]);
      assert.deepEqual(places(project), ["here"]);

      await project.write(serverFiles("web", there));
      const plan = await project.ok("plan");
      assert.match(plan, /web.*(here.*there|move)/s);
      await project.ok("deploy");
      assert.deepEqual(places(project), ["there"]);
      assert.deepEqual(project.replicaNames(), ["shop-web"]);
      assert.notDeepEqual(project.replicas(), before);
      assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
      assert.match(await project.ok("status"), /^web +there +serving/m);
    } finally {
      await stopBoth(project);
    }
  });

  test("with a volume only by --leave-volumes, and the volume stays where it was", async () => {
    await using project = await Project.create();
    const volumes = "    volumes: [{ path: data }]\n";
    try {
      await project.write({
        "pctl.yaml": declaration(project, "here", volumes),
        ...serverFiles("web", { version: "v1" }),
      });
      await project.ok("deploy");
      const before = project.replicas();
      const data = join(project.root, "here/volumes/shop-web-storage/data/kept");
      writeFileSync(data, "kept");
      const moved = declaration(project, "there", volumes).replace(/ports:.*/, "ports: [{ containerPort: 3000 }]");
      await project.write({ "pctl.yaml": moved });
      const refused = await project.pctl(["deploy"]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stdout + refused.stderr, /--leave-volumes/);
      assert.deepEqual(project.replicas(), before);
      assert.deepEqual(places(project), ["here"]);

      await project.ok("deploy", "--leave-volumes");
      assert.deepEqual(places(project), ["there"]);
      assert.ok(existsSync(data));
    } finally {
      await stopBoth(project);
    }
  });
});
