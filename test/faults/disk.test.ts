import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { heard, outcomeOf } from "../e2e/workbench.ts";
import { heals, plainly } from "./checks.ts";
import { Children, type Ended } from "./children.ts";
import { subject } from "./reference-subject.ts";
import type { Step } from "./scenarios.ts";
import { skip, SmallDisk } from "./small-disk.ts";

const deploy = (n: number): Step => ({ command: "deploy", services: `web: { image: "ok:${n}", strategy: recreate }` });
const troubles = [
  { name: "is full", strike: (disk: SmallDisk) => disk.fill(), code: "QUOTA", words: /the disk is full/ },
  { name: "may not be written to", strike: (disk: SmallDisk) => disk.close(), code: "FORBIDDEN", words: /read-only/ },
] as const;

describe("the disk of the state file, at every call of the store", () => {
  for (const { name, strike, code, words } of troubles) {
    test(`${name}: what to do is told, and one plain deploy heals`, { skip }, async (context) => {
      const root = await mkdtemp(join(tmpdir(), "disk-"));
      const world = await subject.start(root);
      await using children = new Children(0);
      const disk = new SmallDisk(join(root, "project"), "1m");
      const site = { folder: disk.folder, places: world.places };
      let version = 1;
      const run = (fault?: string, during?: () => void): Promise<Ended> =>
        children.run(
          {
            subject: subject.url,
            site,
            step: deploy(version),
            ...(fault === undefined ? {} : { fault: { point: fault, kind: "frozen" } }),
          },
          () => Promise.resolve(during?.()),
        );
      try {
        assert.equal(await plainly(subject, site, deploy(version)), 0);
        version += 1;
        const recorded = await run();
        assert.ok(recorded.kind === "ended");
        const calls = recorded.points.filter((point) => point.startsWith("store."));
        assert.ok(calls.length >= 3, `the store was called ${calls.length} times`);
        const ends: string[] = [];
        for (const point of calls) {
          version += 1;
          const ended = await run(point, () => strike(disk));
          assert.ok(ended.kind === "ended" && ended.isStruck, point);
          ends.push(`${point} ${ended.exitCode}`);
          if (ended.reason !== undefined) {
            assert.equal(ended.code, code, `${point}: ${ended.reason}`);
            assert.match(ended.reason, words);
          }
          disk.repair();
          await heals(subject, site, world, { step: deploy(version), runs: [`shop-web ok:${version}`] });
        }
        context.diagnostic(`call, exit code: ${ends.join(", ")}`);
      } finally {
        await world.stop();
        disk.unmount();
        await rm(root, { recursive: true });
      }
    });
  }
});

describe("the disk of `local`, in the middle of a deploy", () => {
  for (const moment of ["service.started", "replica.created", "replica.ready"]) {
    test(`is full after ${moment}: somebody serves, and one plain deploy heals`, { skip }, async () => {
      await using project = await Project.withServer({ version: "v1" });
      const disk = new SmallDisk(project.dataFolder, "200m");
      try {
        await project.ok("deploy");
        await project.change({ version: "v2" });
        const struck = project.start(["deploy", "--json"]);
        struck.stdin?.end();
        const outcome = outcomeOf(struck);
        await heard(struck.stdout, `"${moment}"`);
        disk.fill();
        const { code, stdout } = await outcome;
        if (code !== 0) assert.match(stdout, /the disk is full|no room/);
        assert.equal((await project.versions()).length, 1, "somebody serves");
        disk.repair();
        await project.ok("deploy");
        assert.deepEqual(await project.versions(), ["v2"]);
        assert.deepEqual(project.replicaNames(), ["shop-web"]);
        assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
      } finally {
        await project.pctl(["local", "stop", "--yes"]);
        disk.unmount();
      }
    });
  }
});
