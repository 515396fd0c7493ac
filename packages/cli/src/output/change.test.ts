import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ActionKind,
  Change,
  ChangeResult,
  DeploymentResult,
  Event,
  EventInput,
  Plan,
  PlanAction,
} from "@ctrlplane/core";
import { ChangeReport } from "./change.ts";
import { nextStep } from "./next-step.ts";
import { plain } from "./paint.ts";
import { renderPlan } from "./plan.ts";

function action(service: string, kind: ActionKind, summary: string, more: Partial<PlanAction> = {}): PlanAction {
  const instance = {
    id: `inst_${service}`,
    name: `shop-${service}`,
    stack: "shop",
    service,
    lineage: "lin_1",
    provider: "vps1",
    platformId: "p1",
  };
  const none = { causes: [], changes: [], after: [], volumes: [], publishes: [], notes: [] };
  return { key: `${service}@vps1`, kind, instance, ...none, summary, ...more };
}

function planWith(actions: readonly PlanAction[], more: Partial<Plan> = {}): Plan {
  return {
    v: 1,
    stack: "shop",
    environment: "production",
    hash: "0".repeat(64),
    actions,
    diagnostics: [],
    platforms: [
      { provider: "vps1", platformId: "p1", description: "Docker 26.1, ssh deploy@203.0.113.10", reachable: true },
    ],
    ...more,
  };
}

const firstDeploy = planWith([
  action("db", "create", "postgres:17, new volume shop-db-storage"),
  action("migrate", "create", "job, build ./web (context web, 1.2 MB)"),
  action("web", "create", "build ./web, 2 replicas, http://203.0.113.10:8080", { publishes: ["0.0.0.0:8080"] }),
  action("redis", "keep", "unchanged, skipping"),
]);

/** Plays events, each a given number of milliseconds after the start, and returns all that is printed. */
function print(
  events: readonly (readonly [number, EventInput])[],
  result: Partial<ChangeResult>,
  options: readonly string[] = [],
): string {
  const report = new ChangeReport({
    paint: plain,
    next: nextStep(options),
    locate: (service) => `pctl.yaml:${service === "web" ? 21 : 30}:3`,
    readSource: () => undefined,
    services: ["web"],
    command: "deploy",
  });
  const begun: readonly [number, EventInput] = [0, { type: "change.started", message: "deploy" }];
  const lines = [begun, ...events].flatMap(([atMs, input], index) => {
    const event: Event = {
      v: 1,
      seq: index + 1,
      at: new Date(atMs).toISOString(),
      level: "info",
      stack: "shop",
      change: 42,
      data: {},
      ...input,
    };
    return report.render(event);
  });
  const base = {
    command: "deploy",
    stack: "shop",
    by: "ci",
    host: "runner",
    startedAt: new Date(0).toISOString(),
  } as const;
  const whole: ChangeResult = {
    outcome: "succeeded",
    exitCode: 0,
    elapsedMs: 0,
    services: [],
    diagnostics: [],
    addresses: [],
    ...result,
  };
  const change: Change = { ...base, number: 42, result: whole };
  return [...lines, ...report.end(change)].join("\n");
}

function deployed(service: string, more: Partial<DeploymentResult>): DeploymentResult {
  return { service, instance: `inst_${service}`, provider: "vps1", outcome: "succeeded", elapsedMs: 0, ...more };
}

test("a deploy reads as in the design", () => {
  const text = print(
    [
      [5, { type: "plan.ready", message: "3 to create", data: { plan: firstDeploy } }],
      [10, { type: "build.started", service: "web", message: "builds ./web" }],
      [41_210, { type: "build.done", service: "web", message: "sha256:77ab12 for migrate, web" }],
      [41_300, { type: "service.started", service: "db", message: "release 1" }],
      [47_400, { type: "service.done", service: "db", message: "release 1 serves" }],
      [47_400, { type: "service.started", service: "migrate", message: "release 1" }],
      [49_600, { type: "service.done", service: "migrate", message: "completed, exit 0" }],
      [49_600, { type: "service.started", service: "web", message: "release 1" }],
      [54_400, { type: "service.done", service: "web", message: "release 1 serves, 2 of 2 ready" }],
    ],
    { elapsedMs: 54_300, services: [deployed("web", { serving: 1 })], addresses: ["http://203.0.113.10:8080"] },
  );
  assert.equal(
    text,
    `shop (production) on vps1: Docker 26.1, ssh deploy@203.0.113.10

  + db       postgres:17, new volume shop-db-storage
  + migrate  job, build ./web (context web, 1.2 MB)
  + web      build ./web, 2 replicas, http://203.0.113.10:8080
  = redis    unchanged, skipping
  3 to create · publishes 0.0.0.0:8080

  ✓ build    sha256:77ab12 for migrate, web              41.2 s
  ✓ db       release 1 serves                             6.1 s
  ✓ migrate  completed, exit 0                            2.2 s
  ✓ web      release 1 serves, 2 of 2 ready               4.8 s

Change #42 done in 54.3 s. http://203.0.113.10:8080
Next: pctl status · pctl logs web -f · pctl rollback`,
  );
});

test("a failure tells what, where, how it ended, what it printed, and what to type", () => {
  const failure = {
    verdict: "CRASH_LOOP",
    replica: "shop-web-1",
    exitCode: 1,
    starts: 2,
    logTail: ["Error: Cannot find module './checkout'", "    at /app/server.js:4:18"],
  };
  const text = print(
    [
      [0, { type: "service.started", service: "web", provider: "vps1", release: 14, message: "release 14" }],
      [
        3100,
        {
          type: "service.done",
          level: "error",
          service: "web",
          provider: "vps1",
          release: 14,
          message: "shop-web-1 ended before port 3000 opened",
          data: { outcome: "reverted", serving: 13, failure },
        },
      ],
    ],
    {
      outcome: "reverted",
      exitCode: 3,
      elapsedMs: 22_400,
      services: [deployed("web", { outcome: "reverted", serving: 13 })],
    },
    ["--env", "production"],
  );
  assert.equal(
    text,
    `  ✗ web    release 14: CRASH_LOOP                       3.1 s
  ✓ web    release 13 serves; release 14 got no traffic

pctl.yaml:21:3: web release 14 ended before port 3000 opened
  where  vps1, shop-web-1
  exit   code 1, 2 starts in 3.1 s
  log    Error: Cannot find module './checkout'
             at /app/server.js:4:18
  next   pctl logs web --change 42 --env production          everything it printed
         pctl run web --release 14 --env production -- sh    look inside
         or fix it, then pctl deploy --env production

Change #42 failed and was reverted in 22.4 s (exit 3).`,
  );
});

test("a failure without a verdict tells what was refused, with its code and hint; and what clients met", () => {
  const failure = { code: "FORBIDDEN", reason: "the token may not start machines" };
  const about = { service: "web", provider: "vps1", release: 14 };
  const traffic = { requests: 300, failed: 2, closedAtDrain: 0, p99Ms: 12, elapsedMs: 900 };
  const text = print(
    [
      [0, { type: "service.started", ...about, message: "release 14" }],
      [
        900,
        {
          type: "replica.failed",
          level: "error",
          ...about,
          message: "the token may not start machines",
          data: { ...failure, hint: "fly tokens create deploy" },
        },
      ],
      [900, { type: "service.traffic", ...about, message: "300 requests meanwhile, 2 failed", data: traffic }],
      [
        1000,
        {
          type: "service.done",
          level: "error",
          ...about,
          message: "the token may not start machines",
          data: { outcome: "reverted", serving: 13, failure: { ...failure, reverted: true } },
        },
      ],
    ],
    {
      outcome: "reverted",
      exitCode: 3,
      elapsedMs: 2_000,
      services: [deployed("web", { outcome: "reverted", serving: 13 })],
    },
  );
  assert.equal(
    text,
    `  ✗ web    release 14: FORBIDDEN                        1.0 s
  ✓ web    release 13 serves; release 14 got no traffic
  ! web    300 requests meanwhile, 2 failed

pctl.yaml:21:3: web release 14 the token may not start machines
  where  vps1
  next   fly tokens create deploy
         pctl logs web --change 42          everything it printed
         pctl run web --release 14 -- sh    look inside
         or fix it, then pctl deploy

Change #42 failed and was reverted in 2.0 s (exit 3).`,
  );
});

test("a first release that fails says that it was taken away, and one that had traffic does not claim otherwise", () => {
  const done = (serving: number | undefined): EventInput => ({
    type: "service.done",
    level: "error",
    service: "web",
    release: 2,
    message: "ended",
    data: { outcome: "reverted", serving, failure: { verdict: "EXITED" } },
  });
  const routed: EventInput = { type: "replica.routed", service: "web", release: 2, message: "routed" };
  const result = { outcome: "reverted", exitCode: 3, services: [] } as const;
  assert.match(print([[0, done(undefined)]], result), /^ {2}- web {4}removed again; its logs are kept$/m);
  assert.match(
    print(
      [
        [0, routed],
        [1, done(1)],
      ],
      result,
    ),
    /^ {2}✓ web {4}release 1 serves$/m,
  );
});

test("where some failed, the last line names them; where all was taken away, no address is told", () => {
  const reverted = deployed("api", { outcome: "reverted", serving: 3 });
  const others = ["a", "b"].map((name) => deployed(name, { outcome: "succeeded", serving: 1 }));
  const kept = deployed("c", { outcome: "unchanged" });
  assert.equal(
    print([], { outcome: "reverted", exitCode: 3, elapsedMs: 8900, services: [...others, reverted, kept] }),
    "Change #42: 1 of 3 services failed and was reverted in 8.9 s (exit 3): api.",
  );
  const addresses = ["http://127.0.0.1:8080"];
  const removed = [deployed("web", { outcome: "removed" })];
  assert.equal(
    print([], { outcome: "succeeded", exitCode: 0, elapsedMs: 800, services: removed, addresses }),
    "Change #42 done in 0.8 s.",
  );
});

test("an interruption, a held removal and a no-op each say what follows", () => {
  const held = deployed("db", { outcome: "held", reason: "left the file and stays: it has volumes" });
  assert.equal(
    print([], { outcome: "attention", exitCode: 4, elapsedMs: 10, services: [held] }),
    `Change #42 needs attention (exit 4).
  db: left the file and stays: it has volumes
Next: pctl deploy --remove db`,
  );
  assert.equal(
    print([], { outcome: "interrupted", exitCode: 130, elapsedMs: 3200 }),
    `Change #42 was interrupted after 3.2 s (exit 130).
Next: pctl deploy finishes or undoes what was begun.`,
  );
  const unchanged = {
    outcome: "unchanged",
    elapsedMs: 310,
    services: [deployed("web", { outcome: "unchanged" })],
  } as const;
  assert.equal(print([], unchanged), "Nothing to change: 1 service as declared.");
});

test("what cannot be reached is told once for each platform, with its code, and what to do about it", () => {
  const why = { outcome: "unreachable", reason: "no route to host", code: "UNAVAILABLE", hint: "Is it up?" } as const;
  const services = ["web", "db"].map((service) => deployed(service, { ...why, provider: "vps2" }));
  assert.equal(
    print([], { outcome: "attention", exitCode: 4, elapsedMs: 10, services }),
    `Change #42 needs attention (exit 4).
  web, db: vps2 cannot be reached (UNAVAILABLE): no route to host
  help: Is it up?
Next: pctl doctor`,
  );
});

test("a plan shows each field, its cause, notes and warnings", () => {
  const plan = planWith(
    [
      action("web", "update", "image ./web", {
        changes: [
          { path: "env.DEBUG", before: "••••••", after: "••••••", cause: "configuration" },
          { path: "scale.replicas", before: "5 replicas", after: "2 replicas", cause: "override" },
          { path: "health", after: "http /up", cause: "configuration" },
          { path: "tls", before: "true", cause: "drift" },
        ],
        notes: ["takes back the manual scale of 5 replicas by ann with change #41"],
      }),
      action("old", "remove", "left the file"),
      action("db", "hold", "left the file and stays: it has volumes"),
      action("far", "unreachable", "no route to host"),
    ],
    {
      continues: { change: 41, at: "2026-11-22T00:00:00Z", by: "ann" },
      diagnostics: [
        {
          severity: "warning",
          code: "x",
          summary: "health.onfailure does nothing here",
          path: "pctl.yaml",
          range: { start: { line: 4, column: 5 }, end: { line: 4, column: 9 } },
          hint: "Remove it.",
        },
        { severity: "info", code: "y", summary: "takes back the manual scale of 5 replicas by ann with change #41" },
      ],
    },
  );
  assert.equal(
    renderPlan(plan, plain).join("\n"),
    `shop (production) on vps1: Docker 26.1, ssh deploy@203.0.113.10, after change #41 by ann

  ~ web    image ./web
           env.DEBUG       •••••• → ••••••
           scale.replicas  5 replicas → 2 replicas  (override: set by hand)
           health          + http /up
           tls             - true  (drift: changed on the platform)
           takes back the manual scale of 5 replicas by ann with change #41
  - old    left the file
  ! db     left the file and stays: it has volumes
  ? far    no route to host
  1 to update · 1 to remove · 1 held · 1 unreachable
  warning: pctl.yaml:4:5: health.onfailure does nothing here
    Remove it.`,
  );
});

test("a plan says once what is the same in several places of the file, with each place", () => {
  const at = (line: number) => ({
    severity: "info" as const,
    code: "x",
    summary: "an unhealthy one stays",
    path: "pctl.yaml",
    range: { start: { line, column: 5 }, end: { line, column: 9 } },
    hint: "Let it end.",
  });
  const diagnostics = [at(4), { ...at(4), summary: "another" }, at(4), ...[9, 14, 19, 24, 29].map(at)];
  const [, ...lines] = renderPlan(planWith([], { diagnostics }), plain);
  assert.deepEqual(lines, [
    "  info: pctl.yaml:4:5, pctl.yaml:9:5, pctl.yaml:14:5, pctl.yaml:19:5 and 2 more: an unhealthy one stays",
    "    Let it end.",
    "  info: pctl.yaml:4:5: another",
    "    Let it end.",
  ]);
});

test("a plan says once why a platform cannot be reached, and what to do about it, and nothing of what it publishes", () => {
  const problem = { code: "UNAUTHORIZED", hint: "hostKey: ..." } as const;
  const beyond = { provider: "vps1", platformId: "", description: "its key is not known", reachable: false };
  const plan = planWith(
    ["web", "db"].map((name) =>
      action(name, "unreachable", "its key is not known", { problem, publishes: ["0.0.0.0:80"] }),
    ),
    { platforms: [beyond] },
  );
  assert.equal(
    renderPlan(plan, plain).join("\n"),
    `shop (production) on vps1: its key is not known

  ? web    vps1 cannot be reached
  ? db     vps1 cannot be reached
  2 unreachable
  help: hostKey: ...`,
  );
});

test("many unchanged services are counted, and platforms get a line each where there are several", () => {
  const kept = Array.from({ length: 998 }, (_, index) => action(`s${index}`, "keep", "unchanged, skipping"));
  const platforms = ["a", "b"].map((provider) => ({
    provider,
    platformId: provider,
    description: `engine ${provider}`,
    reachable: true,
  }));
  assert.equal(
    renderPlan(planWith([...kept, action("web", "create", "image ./web")], { platforms }), plain).join("\n"),
    `shop (production)
  on a: engine a
  on b: engine b

  + web    image ./web
  = 998 services unchanged, skipping
  1 to create`,
  );
});

test("a long wait is heard of", () => {
  const report = new ChangeReport({
    paint: plain,
    next: nextStep([]),
    locate: () => undefined,
    readSource: () => undefined,
    services: ["web"],
    command: "deploy",
  });
  const base = { v: 1, seq: 1, stack: "shop", level: "info", service: "web", data: {} } as const;
  report.render({ ...base, type: "service.started", at: new Date(0).toISOString(), message: "release 3" });
  report.render({
    ...base,
    type: "replica.created",
    at: new Date(500).toISOString(),
    replica: "shop-web-1",
    message: "started",
  });
  assert.deepEqual(report.heartbeat(5000, 10_000), []);
  assert.deepEqual(report.heartbeat(12_000, 10_000), ["  … web    shop-web-1 started                          12.0 s"]);
});

test("a build and an image that is fetched are heard of while they take long, each under its own name", () => {
  const report = new ChangeReport({
    paint: plain,
    next: nextStep([]),
    locate: () => undefined,
    readSource: () => undefined,
    services: ["web", "db"],
    command: "deploy",
  });
  const base = { v: 1, seq: 1, stack: "shop", level: "info", provider: "vps1", data: {} } as const;
  const told = (ms: number, type: Event["type"], service: string, message: string) =>
    report.render({ ...base, type, service, message, at: new Date(ms).toISOString() });
  told(0, "build.started", "web", "builds ./web");
  told(10, "build.progress", "web", "[2/3] RUN npm ci");
  told(2000, "build.progress", "db", "pulling postgres:17: 12.0 of 45.0 MB, 3 of 8 layers");
  assert.deepEqual(report.heartbeat(12_000, 10_000), [
    "  … build  [2/3] RUN npm ci                            12.0 s",
    "  … db     pulling postgres:17: 12.0 of 45.0 MB, 3 of 8 layers    10.0 s",
  ]);
  told(13_000, "build.done", "web", "sha256:77ab12 for web");
  told(13_000, "build.progress", "web", "comes from elsewhere");
  told(14_000, "service.started", "db", "release 1");
  told(15_000, "service.done", "db", "release 1 serves");
  assert.deepEqual(report.heartbeat(30_000, 10_000), ["  … web    comes from elsewhere                        17.0 s"]);
});
