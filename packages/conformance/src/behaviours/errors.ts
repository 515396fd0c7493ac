import assert from "node:assert/strict";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import { ends, serves } from "../spec.ts";

const secret = "hunter2-of-the-conformance-suite";

/** Everything that an error says, its causes too. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? String(error);
  const own = isCtrlPlaneError(error) ? [error.hint, error.target, error.failure, error.diagnostics] : [];
  const inner = error instanceof AggregateError ? error.errors.map(textOf) : [];
  return [
    error.message,
    error.stack,
    JSON.stringify(own),
    ...inner,
    error.cause === undefined ? "" : textOf(error.cause),
  ].join("\n");
}

function requireNoSecret(what: string, text: string): void {
  assert.ok(!text.includes(secret), `${what} shows a value of the environment`);
}

async function unavailable(bench: Bench, call: (apart: Bench["provider"]) => Promise<unknown>): Promise<void> {
  const apart = bench.harness.unreachable();
  try {
    await rejects(call(apart), "UNAVAILABLE", "FORBIDDEN", "INVALID");
  } finally {
    await apart.close();
  }
}

export const errors = group("errors", ["deploy"], {
  "health-says-that-it-is-not-there": [
    "`health` of a platform that is not there throws `UNAVAILABLE`, or why it cannot be.",
    (bench) => unavailable(bench, (apart) => apart.health(bench.context())),
  ],
  "list-says-that-it-is-not-there": [
    "`list` of a platform that is not there throws, and does not say that there is nothing.",
    (bench) => unavailable(bench, (apart) => apart.list({}, bench.context())),
  ],
  "status-says-that-it-is-not-there": [
    "`status` on a platform that is not there throws, and not `NOT_FOUND`.",
    async (bench) => {
      const web = await bench.service();
      await unavailable(bench, (apart) => apart.status({ instance: web.instance }, bench.context()));
    },
  ],
  "a-failure-shows-no-environment": [
    "A failed deploy shows no value of the environment, in error, journal, progress or log messages.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(ends("one", 1), { env: { PASSWORD: secret }, secretEnv: ["PASSWORD"] });
      const request = web.request(release);
      const error = await rejects(bench.provider.deploy(request, bench.context()), "FAILED");
      requireNoSecret("the error", textOf(error));
      requireNoSecret("the journal", JSON.stringify(request.journal.decisions));
      requireNoSecret("progress", JSON.stringify(bench.progress));
      requireNoSecret("a log message", bench.warnings.join("\n"));
    },
  ],
  "a-missing-program-shows-no-environment": [
    "An error about a program that does not exist shows no value of the environment.",
    async (bench) => {
      const web = await bench.service();
      const attempt = async (): Promise<void> => {
        const release = await web.release({ kind: "missing", version: "one" }, { env: { PASSWORD: secret } });
        await web.deploy(release);
      };
      requireNoSecret("the error", textOf(await rejects(attempt(), "INVALID", "FAILED")));
    },
  ],
  "what-is-observed-shows-no-environment": [
    "`status`, `list`, labels and what is settled show no value of the environment.",
    async (bench) => {
      const web = await bench.service();
      const release = await web.release(serves("one"), { env: { PASSWORD: secret }, secretEnv: ["PASSWORD"] });
      const result = await web.deploy(release);
      requireNoSecret("the result", JSON.stringify(result));
      requireNoSecret("status", JSON.stringify(await web.status()));
      requireNoSecret("list", JSON.stringify(await bench.provider.list({ stack: bench.stack }, bench.context())));
      requireNoSecret("labels", JSON.stringify(await web.look()));
      requireNoSecret("progress", JSON.stringify(bench.progress));
    },
  ],
  "progress-tells-of-replicas": [
    "A deploy tells of a replica that became ready, with the release's number.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"));
      const told = bench.progress.filter((each) => each.type === "replica.ready" || each.type === "replica.routed");
      assert.ok(told.length > 0, "nothing was told");
      assert.ok(told.every((each) => each.message !== ""));
    },
  ],
});
