import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { instanceId, label, newId, type LogLine } from "@ctrlplane/core/provider";
import { connectEngine, segment, type EngineClient } from "@ctrlplane/images";
import { readLogs } from "../../packages/providers/docker/src/logs.ts";
import { dockerSocket } from "../engines/docker.ts";
import { testContext } from "./gateway.support.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };
const size = process.env["SOAK"] === "1" ? { replicas: 50, perSecond: 2000 } : { replicas: 10, perSecond: 500 };
const seconds = 10;
/** As replicas are deployed: see container-body.ts. */
const deployed = { "max-size": "20m", "max-file": "5" };

test(
  `${size.replicas} replicas print ${size.perSecond} lines a second for ${seconds} s: each line is followed, and read afterwards, once`,
  options,
  async (t) => {
    const { replicas, perSecond } = size;
    const wanted = perSecond * seconds;
    await using service = await Service.create(t, replicas, deployed, batches(wanted, perSecond / 10));
    const over = new AbortController();
    const reading = service.follow(over.signal, (count) => count === replicas * wanted);
    await service.start();
    const followed = await reading;
    over.abort();
    const read = await service.read();
    for (const lines of [followed, read]) {
      const numbers = Map.groupBy(lines, ({ replica }) => replica);
      assert.equal(numbers.size, replicas);
      for (const [replica, printed] of numbers) {
        const wrong = printed.findIndex(({ text }, index) => text !== String(index));
        assert.deepEqual([replica, printed.length, printed[wrong]], [replica, wanted, undefined]);
      }
    }
    const disorder = (lines: readonly LogLine[]): number =>
      lines.filter(({ at = "" }, index) => at < (lines[index - 1]?.at ?? "")).length;
    assert.equal(disorder(read), 0);
    t.diagnostic(
      `${followed.length} lines followed, ${disorder(followed)} of them after a later one of another replica`,
    );
  },
);

test("who falls behind the rotation of a log is told what is missing, and goes on", options, async (t) => {
  const lines = 300_000;
  await using service = await Service.create(t, 1, { "max-size": "100k", "max-file": "3" }, [
    "seq",
    "0",
    String(lines - 1),
  ]);
  const over = new AbortController();
  const last = String(lines - 1);
  let isHeld = true;
  const reading = service.follow(
    over.signal,
    (_, line) => line.text === last,
    async () => {
      // Reads no further until all was printed.
      if (isHeld) await service.ended();
      isHeld = false;
    },
  );
  await service.start();
  const told = await reading;
  over.abort();
  const notices = told.filter((each) => each.missed !== undefined);
  assert.ok(notices.length > 0, `${told.length} lines and no notice: the test is too slow for its log`);
  for (const [index, line] of told.entries()) {
    const before = told[index - 1];
    if (line.missed !== undefined || before === undefined) continue;
    // Between two notices nothing is missing.
    if (before.missed === undefined) assert.equal(Number(line.text), Number(before.text) + 1);
    else assert.equal(before.missed.until, line.at);
  }
  t.diagnostic(`${told.length} of ${lines} lines, ${notices.length} notices: ${notices[0]?.text}`);
});

/** Prints 0, 1, 2 … in ten batches a second. */
function batches(lines: number, batch: number): string[] {
  const script = `i=0; while [ $i -lt $0 ]; do seq $i $((i + $1 - 1)); i=$((i + $1)); sleep 0.1; done`;
  return ["sh", "-c", script, String(lines), String(batch)];
}

/** Containers with the labels of a service's replicas. */
class Service implements AsyncDisposable {
  readonly #engine: EngineClient;
  readonly #ids: readonly string[];
  readonly #name: string;

  private constructor(engine: EngineClient, name: string, ids: readonly string[]) {
    this.#engine = engine;
    this.#name = name;
    this.#ids = ids;
  }

  static async create(
    t: TestContext,
    replicas: number,
    rotation: Readonly<Record<string, string>>,
    command: readonly string[],
  ): Promise<Service> {
    assert.ok(socket !== undefined);
    const engine = connectEngine({ kind: "socket", path: socket });
    t.after(() => engine.close());
    const name = `logs${randomBytes(4).toString("hex")}-web`;
    const body = {
      Image: "busybox:latest",
      Cmd: command,
      Labels: { [label.service]: name, [label.replicaHash]: "none" },
      HostConfig: { LogConfig: { Type: "json-file", Config: rotation }, NetworkMode: "none" },
    };
    const create = async (_: unknown, index: number): Promise<string> => {
      const query = { name: `${name}-${index + 1}` };
      return (await engine.json<{ Id: string }>({ method: "POST", path: "/containers/create", query, body })).Id;
    };
    return new Service(engine, name, await Promise.all(Array.from({ length: replicas }, create)));
  }

  async start(): Promise<void> {
    await Promise.all(
      this.#ids.map((id) => this.#engine.json({ method: "POST", path: `/containers/${segment(id)}/start` })),
    );
  }

  async ended(): Promise<void> {
    for (const id of this.#ids) await this.#engine.json({ method: "POST", path: `/containers/${segment(id)}/wait` });
    // So that what comes next is late by our measure, too.
    await sleep(1500);
  }

  /** Until enough was read. */
  async follow(
    signal: AbortSignal,
    isEnough: (count: number, line: LogLine) => boolean,
    between: () => Promise<void> = () => Promise.resolve(),
  ): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of this.#lines(true, signal)) {
      lines.push(line);
      if (isEnough(lines.length, line)) break;
      if (lines.length === 1) await between();
    }
    return lines;
  }

  async read(): Promise<LogLine[]> {
    return Array.fromAsync(this.#lines(false, new AbortController().signal));
  }

  #lines(follow: boolean, signal: AbortSignal): AsyncGenerator<LogLine> {
    const [stack = "", service = ""] = this.#name.split("-");
    const of = { lineage: newId("lin"), stack, service, platformId: "here" };
    const instance = { ...of, id: instanceId(of), name: this.#name, provider: "docker" };
    return readLogs(this.#engine, { instance, follow, previous: false }, { ...testContext(), signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const query = { force: true };
    for (const id of this.#ids)
      await this.#engine.json({ method: "DELETE", path: `/containers/${segment(id)}`, query });
  }
}
