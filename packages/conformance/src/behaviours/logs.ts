import assert from "node:assert/strict";
import type { LogLine, LogsRequest } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { eventually, rejects } from "../expect.ts";
import type { Service } from "../service.ts";
import { ends, serves } from "../spec.ts";

async function read(bench: Bench, web: Service, change: Partial<LogsRequest> = {}): Promise<readonly LogLine[]> {
  const request = { instance: web.instance, follow: false, previous: false, ...change };
  const lines: LogLine[] = [];
  for await (const line of bench.provider.logs(request, bench.context())) lines.push(line);
  return lines;
}

/** Prints the lines, and waits until they can be read: how long a platform takes to collect them is its own. */
async function said(bench: Bench, web: Service, lines: readonly string[]): Promise<void> {
  for (const replica of await web.running()) for (const line of lines) await bench.harness.say(replica, line);
  const last = lines.at(-1) ?? "";
  const count = (await web.running()).length;
  await eventually(`"${last}" can be read`, async () => {
    const found = (await read(bench, web)).filter((each) => each.text === last);
    return found.length === count ? true : undefined;
  });
}

/** What is about times of day needs one to pass. */
function passed(ms: number): Promise<true> {
  return eventually("its time has come", () => Promise.resolve(Date.now() > ms ? true : undefined));
}

export const logs = group("logs", ["deploy", "logs"], {
  "what-was-printed-can-be-read": [
    "Lines come as they were printed, in their order, without their ends.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const printed = ["first", "  second, with spaces  ", "", 'third "quoted" ünï 🚀', "last"];
      await said(bench, web, printed);
      const texts = (await read(bench, web)).map((each) => each.text);
      assert.deepEqual(texts.slice(-printed.length), printed);
    },
  ],
  "the-first-line-is-there": [
    "What a program prints at its start can be read.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("onlyversion"));
      await eventually("its first line can be read", async () =>
        (await read(bench, web)).some((each) => each.text.includes("onlyversion")) ? true : undefined,
      );
    },
  ],
  "a-line-names-its-replica": [
    "Every line names the replica that printed it.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      await said(bench, web, ["hello"]);
      const hellos = (await read(bench, web)).filter((each) => each.text === "hello");
      assert.deepEqual(
        hellos.map((each) => each.replica).toSorted(),
        (await web.running()).map((each) => each.name).toSorted(),
      );
    },
  ],
  "times-are-those-of-printing": [
    "A time, where there is one, is that of printing, and not that of reading.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const before = Date.now();
      await said(bench, web, ["hello"]);
      const after = Date.now();
      await passed(after + 2_000);
      const hello = (await read(bench, web)).find((each) => each.text === "hello");
      assert.ok(hello !== undefined);
      if (hello.at === undefined) return;
      const at = Date.parse(hello.at);
      assert.ok(at >= before - 1_000 && at <= after + 1_000, `${hello.at} for what was printed at ${before}`);
    },
  ],
  "tail-gives-the-last": [
    "`tail` gives so many last lines of each replica.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      await said(bench, web, ["a", "b", "c"]);
      const texts = (await read(bench, web, { tail: 2 })).map((each) => each.text);
      assert.deepEqual(texts.toSorted(), ["b", "b", "c", "c"]);
    },
  ],
  "one-replica-alone": [
    "`replica` gives the lines of that one.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { scale: { replicas: 2 } });
      await said(bench, web, ["hello"]);
      const [, second] = await web.running();
      assert.ok(second !== undefined);
      const lines = await read(bench, web, { replica: second.name });
      assert.deepEqual([...new Set(lines.map((each) => each.replica))], [second.name]);
    },
  ],
  "since-leaves-out-the-older": [
    "`since` leaves out what was printed before.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await said(bench, web, ["older"]);
      const [line] = (await read(bench, web)).filter((each) => each.text === "older");
      if (line?.at === undefined) return;
      const since = new Date(Date.parse(line.at) + 1_500);
      await passed(since.getTime() + 50);
      await said(bench, web, ["newer"]);
      const texts = await eventually("the newer one is read", async () => {
        const lines = await read(bench, web, { since: since.toISOString() });
        return lines.length === 0 ? undefined : lines.map((each) => each.text);
      });
      assert.deepEqual(texts, ["newer"]);
    },
  ],
  "follow-gives-what-comes": [
    "With `follow` a line that is printed later comes, and the reading ends when its signal aborts.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await said(bench, web, ["before"]);
      const end = new AbortController();
      const request = { instance: web.instance, follow: true, previous: false };
      const seen: string[] = [];
      for await (const { text } of bench.provider.logs(request, bench.context({ signal: end.signal }))) {
        if (text === "before") await bench.harness.say(await web.replica(), "later");
        seen.push(text);
        if (text === "later") end.abort();
      }
      assert.deepEqual(seen.slice(-2), ["before", "later"]);
    },
  ],
  "without-follow-it-ends": [
    "Without `follow` the reading ends by itself, though the program runs.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      await read(bench, web);
      assert.equal(await web.answers(), "one");
    },
  ],
  "a-deployment-has-its-lines": [
    "The lines of a deployment stay after its replicas are gone.",
    async (bench) => {
      const web = await bench.service();
      const one = await web.release(serves("oldversion"));
      const request = web.request(one);
      await bench.provider.deploy(request, bench.context());
      web.serving = one;
      await said(bench, web, ["of the old"]);
      await web.up(serves("newversion"));
      const lines = await read(bench, web, { deployment: request.deployment });
      const texts = lines.map((each) => each.text);
      assert.ok(texts.includes("of the old"), texts.join("\n"));
      assert.ok(!texts.some((each) => each.includes("newversion")));
    },
  ],
  "a-failed-deployment-has-its-lines": [
    "The lines of a release that failed can be read by its deployment.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const two = await web.release(ends("brokenversion", 3));
      const request = web.request(two);
      await rejects(bench.provider.deploy(request, bench.context()), "FAILED");
      const lines = await read(bench, web, { deployment: request.deployment });
      assert.ok(lines.some((each) => each.text.includes("brokenversion")));
    },
  ],
});
