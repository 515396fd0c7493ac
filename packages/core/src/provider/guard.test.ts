import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CtrlPlaneError, isCtrlPlaneError } from "../errors/error.ts";
import type { Redactor } from "../errors/redaction.ts";
import type { RolloutDecision } from "../rollout/journal.ts";
import type { Progress, ProviderContext } from "./context.ts";
import { guardProvider, type GuardOptions } from "./guard.ts";
import type { Provider } from "./provider.ts";
import { memoryLedger } from "../state/memory-ledger.ts";

const secret = "hunter2secret";
const redactor: Redactor = { add: () => undefined, redact: (text) => text.replaceAll(secret, "•") };

interface Sample {
  readonly provider: Provider;
  readonly context: ProviderContext;
  readonly abort: AbortController;
  readonly calls: string[];
  readonly told: Progress[];
  /** Lets the given milliseconds pass. */
  readonly passTime: () => void;
}

/** `methods` stands for the few methods that a test calls. */
function sample(methods: Partial<Provider>, options: Partial<GuardOptions> & { lost?: boolean } = {}): Sample {
  const abort = new AbortController();
  const calls: string[] = [];
  const told: Progress[] = [];
  let passTime = (): void => undefined;
  const inner = {
    type: "sample",
    capabilities: () => ["provision", "deploy", "logs"],
    close: () => Promise.resolve(),
    ...methods,
  } as Provider;
  const context: ProviderContext = {
    signal: abort.signal,
    clock: {
      now: () => 0,
      monotonic: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          passTime = () => resolve();
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    },
    log: { debug: () => undefined, warn: () => undefined },
    progress: (progress) => void told.push(progress),
    fence: {
      stack: "shop",
      epoch: 1,
      check: () => {
        const error = new CtrlPlaneError("CONFLICT", "the lease was lost");
        return options.lost === true ? Promise.reject(error) : Promise.resolve();
      },
    },
    sealer: { seal: (plain) => plain, open: (sealed) => sealed },
  };
  const provider = guardProvider(inner, { name: "vps1", redactor, audit: (call) => calls.push(call), ...options });
  return { provider, context, abort, calls, told, passTime: () => passTime() };
}

// The guard looks at none of the fields of a request but `journal`.
const request = {} as never;

async function thrownBy(call: Promise<unknown>): Promise<CtrlPlaneError> {
  const error: unknown = await call.then(
    () => assert.fail("it was expected to fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isCtrlPlaneError(error), inspect(error));
  return error;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("what is not declared is refused without a call", async () => {
  const { provider, context, calls } = sample({ exec: () => assert.fail("called") });
  const error = await thrownBy(provider.exec(request, context));
  assert.equal(error.code, "UNSUPPORTED");
  assert.equal(error.provider, "vps1");
  assert.deepEqual(calls, []);
});

test("each call of its ledger is told by name, before it is made", async () => {
  const { provider, context, calls } = sample({ ledger: memoryLedger() });
  const { ledger } = provider;
  assert.ok(ledger !== undefined);
  const version = await ledger.create("a", "1", context);
  await ledger.swap("a", "2", version, context);
  await ledger.read("a", context);
  await ledger.list("", context);
  await ledger.remove("a", undefined, context);
  assert.deepEqual(calls, ["ledger.create", "ledger.swap", "ledger.read", "ledger.list", "ledger.remove"]);
});

test("what is cancelled already is not called", async () => {
  const { provider, context, abort, calls } = sample({
    status: () => assert.fail("called"),
    logs: () => assert.fail("called"),
  });
  abort.abort();
  assert.equal((await thrownBy(provider.status(request, context))).code, "CANCELLED");
  assert.equal((await thrownBy(collect(provider.logs(request, context)))).code, "CANCELLED");
  assert.deepEqual(calls, []);
});

test("without the lease nothing that writes is called, and what reads is", async () => {
  const { provider, context, calls } = sample(
    { deploy: () => assert.fail("called"), status: () => Promise.resolve(request) },
    { lost: true },
  );
  assert.equal((await thrownBy(provider.deploy(request, context))).code, "CONFLICT");
  await provider.status(request, context);
  assert.deepEqual(calls, ["status"]);
});

test("what the platform cancels by itself is unavailable, and may succeed later", async () => {
  const { provider, context } = sample({
    status: () => Promise.reject(new CtrlPlaneError("CANCELLED", "rebalancing")),
  });
  const error = await thrownBy(provider.status(request, context));
  assert.deepEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
});

test("a foreign error becomes INTERNAL, an abort CANCELLED", async () => {
  const foreign = sample({ status: () => Promise.reject(new TypeError("x is undefined")) });
  const error = await thrownBy(foreign.provider.status(request, foreign.context));
  assert.equal(error.code, "INTERNAL");
  assert.equal((error.cause as Error).name, "TypeError");

  const aborted = sample(
    {
      status: (_request, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    },
    { timeouts: {} },
  );
  const call = aborted.provider.status(request, aborted.context);
  aborted.abort.abort(new Error("Ctrl-C"));
  assert.equal((await thrownBy(call)).code, "CANCELLED");
});

test("no text of an error shows a secret, neither do its causes", async () => {
  const cause = new AggregateError([new Error(`inner ${secret}`)], `outer ${secret}`, { cause: { body: secret } });
  const failed = new CtrlPlaneError("FAILED", `said ${secret}`, {
    hint: `look at ${secret}`,
    target: secret,
    retryable: true,
    retryAfterMs: 5,
    failure: { verdict: "EXITED", exitCode: 3, logTail: [`token=${secret}`] },
    diagnostics: [{ severity: "error", code: "x", summary: secret, detail: secret, hint: secret }],
    cause,
  });
  const { provider, context } = sample({ status: () => Promise.reject(failed) });
  const error = await thrownBy(provider.status(request, context));
  assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(secret), inspect(error, { depth: 20 }));
  assert.ok(!JSON.stringify([error.failure, error.diagnostics, error.hint, error.target]).includes(secret));
  assert.deepEqual(
    { code: error.code, retryable: error.retryable, after: error.retryAfterMs, exit: error.failure?.exitCode },
    { code: "FAILED", retryable: true, after: 5, exit: 3 },
  );
});

test("progress, log lines and recorded failures show no secret", async () => {
  const decisions: RolloutDecision[] = [];
  const { provider, context, told } = sample({
    deploy: async ({ journal }, inner) => {
      inner.progress({ type: "replica.failed", message: secret, data: { logTail: [secret], exitCode: 1 } });
      await journal.decide({ kind: "revert", failure: { verdict: "EXITED", logTail: [secret] } });
      await journal.decide({ kind: "revert", failure: { code: "INTERNAL", reason: `refused ${secret}` } });
      return request;
    },
    logs: async function* () {
      yield { replica: "web", stream: "stdout", text: `password ${secret}!` };
    },
  });
  const journal = { decisions, decide: async (decision: RolloutDecision) => void decisions.push(decision) };
  await provider.deploy({ journal } as never, context);
  assert.deepEqual(told, [{ type: "replica.failed", message: "•", data: { logTail: ["•"], exitCode: 1 } }]);
  assert.deepEqual(decisions, [
    { kind: "revert", failure: { verdict: "EXITED", logTail: ["•"] } },
    { kind: "revert", failure: { code: "INTERNAL", reason: "refused •" } },
  ]);
  const lines = await collect(provider.logs(request, context));
  assert.deepEqual(
    lines.map((line) => line.text),
    ["password •!"],
  );
});

test("a log that breaks off is mapped like any call", async () => {
  const { provider, context } = sample({
    logs: async function* () {
      yield { replica: "web", stream: "stdout", text: "before" };
      throw new Error(`socket ${secret}`);
    },
  });
  const error = await thrownBy(collect(provider.logs(request, context)));
  assert.equal(error.code, "INTERNAL");
  assert.ok(!error.message.includes(secret));
});

test("a call that takes too long is aborted and ends as TIMEOUT, one without a limit does not", async () => {
  let wasAborted = false;
  const { provider, context, passTime } = sample({
    list: (_selector, { signal }) => {
      signal.addEventListener("abort", () => (wasAborted = true));
      return new Promise(() => undefined);
    },
  });
  const call = provider.list({}, context);
  passTime();
  const error = await thrownBy(call);
  assert.deepEqual([error.code, error.retryable, wasAborted], ["TIMEOUT", true, true]);

  const unlimited = sample({ deploy: () => Promise.resolve(request) });
  let slept = false;
  await unlimited.provider.deploy(request, {
    ...unlimited.context,
    clock: { ...unlimited.context.clock, sleep: () => ((slept = true), Promise.resolve()) },
  });
  assert.equal(slept, false);
});

test("a ledger's and a session's errors carry the provider's name", async () => {
  const broken = (): Promise<never> => Promise.reject(new Error("gone"));
  const { provider, context } = sample({
    capabilities: () => ["exec"],
    exec: () => Promise.resolve({ exit: broken(), kill: () => undefined, resize: () => undefined } as never),
    ledger: { reach: "machine", create: broken, read: broken, list: broken, swap: broken, remove: broken },
  });
  const session = await provider.exec(request, context);
  assert.equal((await thrownBy(session.exit)).provider, "vps1");
  assert.equal((await thrownBy(provider.ledger?.read("a", context) ?? Promise.resolve())).provider, "vps1");
});
