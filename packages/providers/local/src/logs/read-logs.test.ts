import { strict as assert } from "node:assert";
import { appendFileSync, copyFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { LogLine, LogsRequest } from "@ctrlplane/core/provider";
import { layout, replicaFiles } from "../layout.ts";
import { temporaryFolder, testContext, testIdentity } from "../fixtures.test.support.ts";
import { readLogs } from "./read-logs.ts";

const instance = testIdentity("local_x");
const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);

interface Given {
  readonly deployment?: string;
  readonly run?: number;
  readonly isRemoved?: boolean;
}

async function bench(t: TestContext) {
  const dir = await temporaryFolder(t);
  const paths = layout(dir);
  mkdirSync(paths.replicas);
  return {
    dir,
    replica: (name: string, { deployment = "dep_1", run = 1, isRemoved = false }: Given = {}) => {
      const id = `${name}.${deployment}`;
      const folder = isRemoved ? join(paths.archive, instance.name, id) : join(paths.replicas, id);
      const files = replicaFiles(folder);
      // As the supervisor does it: the folder is there when the record is.
      const making = join(dir, `making-${id}`);
      mkdirSync(making);
      writeFileSync(
        join(making, "replica.json"),
        JSON.stringify({ id, name, instance: instance.name, deployment, createdAt: id }),
      );
      writeFileSync(join(making, "state.json"), JSON.stringify({ run }));
      mkdirSync(dirname(folder), { recursive: true });
      renameSync(making, folder);
      return files;
    },
    read: async (request: Partial<LogsRequest> = {}): Promise<string[]> => {
      const lines: string[] = [];
      for await (const line of readLogs(dir, { instance, follow: false, previous: false, ...request }, testContext()))
        lines.push(show(line));
      return lines;
    },
  };
}

function show({ at: time, replica, text }: LogLine): string {
  return `${time === undefined ? "-" : new Date(time).getUTCSeconds()} ${replica} ${text}`;
}

test("lines of all replicas come by time, those of one in their order", async (t) => {
  const { replica, read } = await bench(t);
  const one = replica("shop-web-1");
  writeFileSync(one.log, "a\nb\r\nlast without end");
  writeFileSync(one.logIndex, `0 ${at(1)} 1\n2 ${at(5)}\n`);
  const two = replica("shop-web-2");
  writeFileSync(two.log, "x\ny\n");
  writeFileSync(two.logIndex, `0 ${at(3)} 1\n`);
  replica("shop-web-admin");
  assert.deepEqual(await read(), [
    "1 shop-web-1 a",
    "3 shop-web-2 x",
    "3 shop-web-2 y",
    "5 shop-web-1 b",
    "5 shop-web-1 last without end",
  ]);
  assert.deepEqual(await read({ since: new Date(at(3)).toISOString(), tail: 1 }), [
    "3 shop-web-2 y",
    "5 shop-web-1 last without end",
  ]);
  assert.deepEqual(await read({ replica: "shop-web-2", tail: 1 }), ["3 shop-web-2 y"]);
  assert.deepEqual(await read({ tail: 0 }), []);
});

test("rotated files come first; `previous` is the run before", async (t) => {
  const { replica, read } = await bench(t);
  const { folder, log, logIndex } = replica("shop-web", { run: 3 });
  writeFileSync(join(folder, "log.2"), "one\n");
  writeFileSync(join(folder, "log.2.index"), `0 ${at(1)} 1\n`);
  writeFileSync(join(folder, "log.1"), "two\ntwo again\n");
  writeFileSync(join(folder, "log.1.index"), `0 ${at(2)} 2\n`);
  writeFileSync(log, "still two\nthree\n");
  writeFileSync(logIndex, `0 ${at(3)}\n10 ${at(4)} 3\n`);
  assert.deepEqual(await read(), [
    "1 shop-web one",
    "2 shop-web two",
    "2 shop-web two again",
    "3 shop-web still two",
    "4 shop-web three",
  ]);
  assert.deepEqual(await read({ previous: true }), ["2 shop-web two", "2 shop-web two again", "3 shop-web still two"]);
});

test("a deployment's replicas are read after their removal, and nothing else", async (t) => {
  const { replica, read } = await bench(t);
  writeFileSync(replica("shop-web", { deployment: "dep_1", isRemoved: true }).log, "crashed\n");
  writeFileSync(replica("shop-web", { deployment: "dep_2" }).log, "serves\n");
  assert.deepEqual(await read({ deployment: "dep_1" }), ["- shop-web crashed"]);
  assert.deepEqual(await read(), ["- shop-web serves"]);
  assert.deepEqual(await read({ deployment: "dep_3" }), []);
});

test("characters that fall between two readings stay whole", async (t) => {
  const { replica, read } = await bench(t);
  const text = "é🚀".repeat(100_000);
  writeFileSync(replica("shop-web").log, `a${text}\n`);
  assert.deepEqual(await read(), [`- shop-web a${text}`]);
});

test("following: what is added, through a rotation, by later replicas, until cancelled", async (t) => {
  const { dir, replica } = await bench(t);
  const controller = new AbortController();
  const web = replica("shop-web");
  writeFileSync(web.log, "old\nhal");
  const lines = readLogs(dir, { instance, follow: true, previous: false }, testContext({ signal: controller.signal }));
  const next = async () => (await lines.next()).value?.text;
  assert.equal(await next(), "old");

  let waiting = next();
  appendFileSync(web.log, "f\n");
  assert.equal(await waiting, "half");

  waiting = next();
  appendFileSync(web.log, "before the cut\n");
  copyFileSync(web.log, `${web.log}.1`);
  truncateSync(web.log, 0);
  assert.equal(await waiting, "before the cut");
  waiting = next();
  appendFileSync(web.log, "new\n");
  assert.equal(await waiting, "new");

  waiting = next();
  const later = replica("shop-web", { deployment: "dep_2" });
  appendFileSync(later.log, "later\n");
  assert.equal(await waiting, "later");

  waiting = next();
  appendFileSync(web.log, "dying word");
  renameSync(web.folder, join(dir, "gone"));
  assert.equal(await waiting, "dying word");

  const last = lines.next();
  controller.abort();
  assert.equal((await last).done, true);
});
