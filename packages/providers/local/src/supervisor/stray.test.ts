import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { layout, replicaFiles } from "../layout.ts";
import { processesIn } from "../process-table.test.support.ts";
import { readJsonFile } from "../process/json-file.ts";
import type { ShimRecord } from "./records.ts";
import { dataFolder, eventually, killed, only, request, server, supervisorOf, text, write } from "./testing.ts";

describe("a shim that is killed between starting its replica and saying so", { concurrency: 2 }, () => {
  for (const alsoSupervisor of [false, true]) {
    test(`leaves no second replica${alsoSupervisor ? ", though the supervisor died before" : ""}`, async (t) => {
      const { dir, client } = dataFolder(t);
      const { id } = await client.create(request(server("process.pid")), write);
      const files = replicaFiles(join(layout(dir).replicas, id));
      // Whoever opens a pipe to write waits for a reader: so the shim stays where it is to be killed.
      const pipe = `${files.run}.new`;
      execFileSync("mkfifo", [pipe]);
      // The supervisor tells who waits, or, where it died too, its successor starts the replica by itself.
      const starting = client.start(id, write);
      const told = alsoSupervisor ? starting : assert.rejects(starting, { code: "INTERNAL" });
      await eventually(() => processesIn(files.work).length === 1, "the process of the replica");
      const [stray] = processesIn(files.work);
      const shim = readJsonFile<ShimRecord>(files.shim);
      assert.ok(shim !== undefined);
      if (alsoSupervisor) await killed(supervisorOf(dir));
      rmSync(pipe);
      await killed(shim);
      await told;
      await client.start(id, write);
      await client.waitReady(id, { timeoutMs: 10_000 }, {});
      const replica = await only(client, id);
      assert.notEqual(replica.pid, stray);
      assert.deepEqual(processesIn(files.work), [replica.pid]);
      assert.equal(await text(replica), String(replica.pid));
    });
  }
});
