import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { InstanceStatus, ReplicaStatus, StackStatus } from "@ctrlplane/core";
import { renderDiagnostics } from "./diagnostics.ts";
import { renderHistory, renderUnfinished } from "./history.ts";
import { LogPrefix } from "./log-prefix.ts";
import { nextStep } from "./next-step.ts";
import { coloured, plain, wantsColour } from "./paint.ts";
import { renderStatus } from "./status.ts";
import { cut, shortList, table } from "./table.ts";
import { ago, elapsed } from "./time.ts";

const now = Date.parse("2026-11-22T03:00:00Z");
const before = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

function replica(ordinal: number, more: Partial<ReplicaStatus> = {}): ReplicaStatus {
  const base = {
    replicaHash: "a",
    generation: 0,
    state: "ready",
    routed: true,
    restarts: 0,
    startedAt: before(90),
  } as const;
  return { name: `shop-web-${ordinal}`, ordinal, ...base, ...more };
}

const web: InstanceStatus = {
  name: "shop-web",
  stack: "shop",
  service: "web",
  labels: {},
  state: "degraded",
  settled: {
    releaseId: "rel_1",
    number: 14,
    specHash: "v1:x",
    replicaHash: "a",
    generation: 0,
    deployment: "dep_1",
    replicas: 2,
    scaledBy: { by: "ann", at: before(60), change: 41 },
  },
  revisions: [],
  stopped: false,
  addresses: ["http://127.0.0.1:8080"],
  volumes: [],
  observedFields: [],
  fields: {},
  restarts: 3,
  since: before(7200),
  replicas: [replica(2, { state: "exited", routed: false, exitCode: 1, restarts: 3 }), replica(1)],
};

const status: StackStatus = {
  stack: "shop",
  environment: "production",
  services: [
    {
      service: "web",
      instance: "inst_1",
      provider: "vps1",
      status: web,
      orphaned: false,
      unfinished: { deployment: "dep_1", change: 42, to: 15 },
    },
    ...["db", "old"].map((service) => ({
      service,
      instance: "inst_1",
      provider: "vps2",
      unreachable: "no route to host",
      problem: { code: "UNAVAILABLE", hint: "Is it up?" } as const,
      orphaned: false,
    })),
    { service: "cron", instance: "inst_1", provider: "vps1", orphaned: false },
  ],
  lastChange: { number: 42, command: "deploy", stack: "shop", by: "ci", host: "runner", startedAt: before(300) },
  lease: { user: "ci", host: "runner", pid: 7, command: "deploy", since: before(10) },
};

const view = {
  paint: plain,
  next: nextStep(["--env", "production"]),
  nowMs: now,
  replicas: false,
  unwatched: new Set<string>(),
};

test("status: services, replicas, and what a reader must know besides", () => {
  assert.equal(
    renderStatus(status, { ...view, replicas: true }).join("\n"),
    `shop (production): change #42 deploy by ci 5 min ago, running

SERVICE       PROVIDER  STATE           RELEASE  READY   RESTARTS  SINCE  ADDRESS
web           vps1      degraded        14       1 of 2  3         2 h    http://127.0.0.1:8080
  shop-web-1            ready                    routed            90 s
  shop-web-2            exited, code 1                   3         90 s
db            vps2      unreachable
old           vps2      unreachable
cron          vps1      absent

unreachable: db, old on vps2: no route to host
  help: Is it up?
unfinished: change #42 of web; pctl deploy --env production goes on from there
web was scaled by ann with change #41; a deploy returns to the file's scale
changing now: deploy by ci on runner (pid 7), since 10 s`,
  );
});

test("status: what was changed last is not known where somebody cannot be asked", () => {
  const { lease: _, lastChange: __, ...rest } = status;
  assert.equal(renderStatus(rest, view)[0], "shop (production): what was changed last is not known");
  const seen = rest.services.filter((each) => each.unreachable === undefined);
  assert.equal(renderStatus({ ...rest, services: seen }, view)[0], "shop (production): never deployed");
});

test("status: a change that nobody works on any more never finished", () => {
  const { lease: _, ...rest } = status;
  assert.match(renderStatus(rest, view)[0] ?? "", /5 min ago, never finished$/);
});

test("status: without a supervisor, how to get it back, and no word on each service", () => {
  const down: InstanceStatus = { ...web, state: "down", replicas: [] };
  const services = [{ service: "web", instance: "inst_1", provider: "local", status: down, orphaned: false }];
  const notes = (unwatched: string[]): string[] =>
    renderStatus({ stack: "shop", services }, { ...view, unwatched: new Set(unwatched) }).slice(6);
  assert.match(notes([])[0] ?? "", /^down: web; pctl logs web --tail 20 --env production$/);
  assert.match(notes(["local"])[0] ?? "", /^no supervisor: local: .* pctl start --env production brings it back$/);
  assert.doesNotMatch(notes(["local"]).join("\n"), /^down/m);
});

test("history: what goes on now, and what never finished", () => {
  const change = { number: 7, command: "deploy", stack: "shop", by: "ann", host: "h", startedAt: before(60) } as const;
  const list = (running: number | undefined): string =>
    renderHistory([change], [], running === undefined ? view : { ...view, running })[1] ?? "";
  assert.match(list(7), / running /);
  assert.match(list(undefined), / never finished /);
  assert.match(renderUnfinished(change, false, view).join("\n"), /^Change #7 never finished: .*\n.* pctl status /);
});

test("a diagnostic shows its line, with a caret under what is wrong", () => {
  const source = "name: shop\nservices:\n\tweb: { imge: ./web }\n";
  const range = { start: { line: 3, column: 9 }, end: { line: 3, column: 13 } };
  const diagnostic = {
    severity: "error",
    code: "unknown-key",
    summary: "unknown key `imge`",
    path: "pctl.yaml",
    range,
    hint: "Did you mean `image`?",
  } as const;
  const warning = { severity: "warning", code: "x", summary: "no file is named" } as const;
  assert.equal(
    renderDiagnostics([diagnostic, warning], plain, () => source).join("\n"),
    `warning: no file is named
error: pctl.yaml:3:9: unknown key \`imge\`
  3 |  web: { imge: ./web }
    |         ^^^^
  help: Did you mean \`image\`?`,
  );
});

test("columns count what is seen, not what colours it", () => {
  assert.deepEqual(
    table(
      ["A", "B"],
      [
        [coloured("good", "ok"), "x"],
        ["long", ""],
      ],
    ).map((line) => stripVTControlCharacters(line)),
    ["A     B", "ok    x", "long"],
  );
});

test("long values are cut, long lists counted", () => {
  assert.deepEqual([cut("abc", 3), cut("abcd", 3)], ["abc", "ab…"]);
  assert.equal(shortList(["a", "b", "c", "d", "e"]), "a, b, c, d, e");
  assert.equal(shortList(["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
});

test("log lines of several replicas are aligned under their names", () => {
  const prefix = new LogPrefix("shop", ["web-2", "worker"], plain);
  const line = (replicaName: string, text: string): string =>
    prefix.render({ replica: replicaName, service: "x", provider: "here", stream: "stdout", text });
  assert.deepEqual(
    [line("shop-web-1", "a"), line("shop-worker", "b"), line("shop-web-1", "")],
    ["web-1  | a", "worker | b", "web-1  |"],
  );
});

test("times are short", () => {
  assert.deepEqual([0, 41_200, 99_949, 185_000, 7_440_000].map(elapsed), [
    "0.0 s",
    "41.2 s",
    "99.9 s",
    "3 min 05 s",
    "2 h 04 min",
  ]);
  assert.deepEqual(
    [0, 12, 300, 7200, 260_000].map((seconds) => ago(before(seconds), now)),
    ["now", "12 s ago", "5 min ago", "2 h ago", "3 d ago"],
  );
});

test("next steps can be typed as they stand", () => {
  assert.equal(
    nextStep(["--env", "production"])("run web --release 3", "sh"),
    "pctl run web --release 3 --env production -- sh",
  );
});

test("colours only on a terminal, and never against NO_COLOR", () => {
  const terminal = { isTTY: true };
  assert.equal(wantsColour(terminal, {}, false), true);
  assert.equal(wantsColour({}, {}, false), false);
  assert.equal(wantsColour(terminal, { NO_COLOR: "1" }, false), false);
  assert.equal(wantsColour(terminal, {}, true), false);
  assert.equal(wantsColour(terminal, { TERM: "dumb" }, false), false);
});
