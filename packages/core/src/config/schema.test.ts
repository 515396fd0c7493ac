import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oneService, problemsOf, specOf } from "./fixture.test.support.ts";
import { jsonSchema } from "./json-schema.ts";
import { reference } from "./reference.ts";
import { parseDuration } from "./schema/quantities.ts";

describe("durations, in milliseconds", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["1", 1000],
    ["0.5", 500],
    ["500ms", 500],
    ["30s", 30_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["", undefined],
    ["-1", undefined],
    ["2 m", undefined],
    ["m", undefined],
    ["1w", undefined],
    ["1h30", undefined],
  ];
  for (const [text, ms] of cases) test(JSON.stringify(text), () => assert.equal(parseDuration(text), ms));
});

describe("what a service may say, and what it becomes", () => {
  const cases: readonly (readonly [string, string, object])[] = [
    [
      "nothing: the defaults",
      "protect: false",
      {
        kind: "service",
        scale: { replicas: 1 },
        env: {},
        secretEnv: [],
        files: [],
        ports: [],
        domains: [],
        volumes: [],
        needs: {},
        protect: false,
        keep: 10,
        accept: [],
        stop: { graceMs: 10_000 },
        strategy: {
          type: "recreate",
          declared: false,
          batch: { percent: 25 },
          steps: [],
          pause: "manual",
          timeoutMs: 120_000,
          drainMs: 30_000,
          onFailure: "revert",
        },
      },
    ],
    ["cpu in thousandths", "scale: { cpu: 500m }", { scale: { replicas: 1, cpuMillis: 500 } }],
    ["cpu in cores", "scale: { cpu: 1 }", { scale: { replicas: 1, cpuMillis: 1000 } }],
    ["cpu in part of a core, as text", 'scale: { cpu: "0.5" }', { scale: { replicas: 1, cpuMillis: 500 } }],
    ["memory in Mi", "scale: { memory: 256Mi }", { scale: { replicas: 1, memoryMb: 256 } }],
    ["memory in Gi", "scale: { memory: 1Gi }", { scale: { replicas: 1, memoryMb: 1024 } }],
    ["memory in M", "scale: { memory: 512M }", { scale: { replicas: 1, memoryMb: 488 } }],
    ["memory in G", "scale: { memory: 1G }", { scale: { replicas: 1, memoryMb: 953 } }],
    ["memory in bytes", "scale: { memory: 134217728 }", { scale: { replicas: 1, memoryMb: 128 } }],
    [
      "disk and gpu",
      "scale: { disk: 1Gi, gpu: { count: 2, type: nvidia-l4 } }",
      { scale: { replicas: 1, diskMb: 1024, gpuCount: 2, gpuType: "nvidia-l4" } },
    ],
    ["gpu alone", "scale: { gpu: { type: a } }", { scale: { replicas: 1, gpuCount: 1, gpuType: "a" } }],
    ["no replica", "scale: { replica: 0 }", { scale: { replicas: 0 } }],
    ["replicas as text, as expressions give them", 'scale: { replica: "3" }', { scale: { replicas: 3 } }],
    ["a range", "scale: { replica: [1, 4] }", { scale: { replicas: { min: 1, max: 4 } } }],
    ["a range of one", "scale: { replica: [3, 3] }", { scale: { replicas: { min: 3, max: 3 } } }],
    [
      "a port alone is the host's too, as in 1.1",
      "ports: [3000]",
      { ports: [{ containerPort: 3000, hostPort: 3000, protocol: "auto" }] },
    ],
    ["a port in hex", "ports: [0x1F90]", { ports: [{ containerPort: 8080, hostPort: 8080, protocol: "auto" }] }],
    [
      "host and container port",
      "ports: [8080:3000]",
      { ports: [{ containerPort: 3000, hostPort: 8080, protocol: "auto" }] },
    ],
    [
      "an address",
      'ports: ["127.0.0.1:5432:5433"]',
      { ports: [{ containerPort: 5433, hostPort: 5432, protocol: "auto", address: "127.0.0.1" }] },
    ],
    [
      "IPv6",
      'ports: ["[::1]:8080:80"]',
      { ports: [{ containerPort: 80, hostPort: 8080, protocol: "auto", address: "::1" }] },
    ],
    ["UDP", "ports: [53:53/udp]", { ports: [{ containerPort: 53, hostPort: 53, protocol: "udp" }] }],
    [
      "a port of a map, published nowhere",
      "ports: [{ containerPort: 9090 }]",
      { ports: [{ containerPort: 9090, protocol: "auto" }] },
    ],
    [
      "a whole map",
      "ports: [{ containerPort: 9090, hostPort: 90, protocol: http, address: 10.0.0.2 }]",
      { ports: [{ containerPort: 9090, hostPort: 90, protocol: "http", address: "10.0.0.2" }] },
    ],
    ["a command for a shell", "command: node server.js", { command: { shell: "node server.js" } }],
    ["a command as a list", "command: [node, server.js]", { command: { args: ["node", "server.js"] } }],
    ["no entrypoint", "entrypoint: []", { entrypoint: [] }],
    ["a registry by its URL", "registry: https://r.example.com", { registry: { url: "https://r.example.com" } }],
    [
      "a registry with a login",
      "registry: { url: r, username: u, password: p }",
      { registry: { url: "r", username: "u", password: "p" } },
    ],
    [
      "domains",
      "domains: [shop.example.com, { host: example.com, path: /api }]",
      {
        domains: [
          { host: "shop.example.com", path: "/" },
          { host: "example.com", path: "/api" },
        ],
      },
    ],
    ["tls", "tls: true", { tls: {} }],
    ["tls with an address", "tls: { email: a@example.com }", { tls: { email: "a@example.com" } }],
    ["tls with a certificate", "tls: { cert: c, key: k }", { tls: { cert: "c", key: "k" } }],
    [
      "volumes",
      "volumes: [{ path: /data, name: uploads, size: 10Gi }, { path: /x, external: old }, { path: /y, host: /srv, readOnly: true }]",
      {
        volumes: [
          { path: "/data", name: "uploads", sizeMb: 10_240, readOnly: false },
          { path: "/x", external: "old", readOnly: false },
          { path: "/y", host: "/srv", readOnly: true },
        ],
      },
    ],
    ["stop", "stop: { signal: SIGINT, grace: 30 }", { stop: { signal: "SIGINT", graceMs: 30_000 } }],
    [
      "protect, keep, formerly",
      "protect: true\n    keep: 3\n    formerly: site",
      { protect: true, keep: 3, formerly: "site" },
    ],
    [
      "an image by digest",
      `image: redis@sha256:${"a".repeat(64)}`,
      { image: { kind: "reference", reference: `redis@sha256:${"a".repeat(64)}` } },
    ],
    [
      "an image on a registry with a port",
      "image: registry.example.com:5000/team/app:v1.2.3",
      { image: { kind: "reference", reference: "registry.example.com:5000/team/app:v1.2.3" } },
    ],
  ];
  for (const [what, field, expected] of cases) {
    test(what, async () => assert.partialDeepStrictEqual(await specOf(oneService(field)), expected));
  }
});

describe("health", () => {
  const withPort = (health: string): string => oneService("ports: [3000]", `health: ${health}`);
  const defaults = { intervalMs: 1000, timeoutMs: 2000, retries: 3, graceMs: 30_000 };
  const cases: readonly (readonly [string, object])[] = [
    [
      "{ http: /up }",
      { ...defaults, probe: { kind: "http", path: "/up" }, onFailure: { action: "restart", declared: false } },
    ],
    ["{ http: /up, port: 3000 }", { probe: { kind: "http", path: "/up", port: 3000 } }],
    [
      "{ tcp: true, interval: 500ms, timeout: 1, retries: 5, grace: 1m }",
      { probe: { kind: "tcp" }, intervalMs: 500, timeoutMs: 1000, retries: 5, graceMs: 60_000 },
    ],
    [
      "{ command: check, interval: 10 }",
      {
        probe: { kind: "command", command: { shell: "check" } },
        intervalMs: 10_000,
        onFailure: { action: "restart", declared: false },
      },
    ],
    ["{ command: [pg_isready, -q] }", { probe: { kind: "command", command: { args: ["pg_isready", "-q"] } } }],
    ["{ http: /up, onfailure: restart }", { onFailure: { action: "restart", declared: true } }],
    ["{ command: check, interval: 10, onfailure: stop }", { onFailure: { action: "stop", declared: true } }],
  ];
  for (const [health, expected] of cases)
    test(health, async () => assert.partialDeepStrictEqual((await specOf(withPort(health))).health, expected));
});

describe("the strategy, where none is declared: rolling with ports, none of them UDP, and no volume", () => {
  const cases: readonly (readonly [string, readonly string[], string, boolean])[] = [
    ["ports", ["ports: [3000]"], "rolling", false],
    ["no ports", [], "recreate", false],
    ["a UDP port", ["ports: [3000, 53:53/udp]"], "recreate", false],
    ["a volume", ["ports: [3000]", "volumes: [{ path: /data }]"], "recreate", false],
    ["declared as a word", ["strategy: rolling"], "rolling", true],
    ["declared as a map", ["ports: [3000]", "strategy: { type: recreate, batch: 2 }"], "recreate", true],
    ["a map without type", ["ports: [3000]", "strategy: { drain: 5 }"], "rolling", false],
  ];
  for (const [what, fields, type, declared] of cases) {
    test(what, async () => {
      const { strategy } = await specOf(oneService(...fields));
      assert.deepEqual([strategy.type, strategy.declared], [type, declared]);
    });
  }
  test("its settings", async () => {
    const { strategy } = await specOf(
      oneService(
        "strategy: { type: rolling, batch: 50%, steps: [5%, 25%], pause: 10m, timeout: 1m, drain: 5, onfailure: hold }",
      ),
    );
    assert.deepEqual(strategy, {
      type: "rolling",
      declared: true,
      batch: { percent: 50 },
      steps: [5, 25],
      pause: { ms: 600_000 },
      timeoutMs: 60_000,
      drainMs: 5000,
      onFailure: "hold",
    });
  });
});

describe("what is wrong is told with its place and what to do", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["compose's depends_on", "depends_on: [db]", /^pctl\.yaml:6:5: unknown key `depends_on` → Write `needs`\.$/],
    ["compose's environment", "environment: { A: b }", /unknown key `environment` → Write `env`, as a map/],
    ["compose's environment, misspelled", "enviroment: { A: b }", /→ Write `env`, as a map/],
    ["compose's healthcheck", "healthcheck: { test: x }", /→ Write `health`/],
    ["compose's deploy", "deploy: { replicas: 2 }", /→ Write `scale`/],
    ["compose's restart", "restart: always", /→ Remove it: services are always restarted/],
    ["compose's privileged", "privileged: true", /→ Remove it: there is no counterpart/],
    ["Kubernetes' readinessProbe", "readinessProbe: {}", /→ Write `health`/],
    ["a misspelled key", "prots: [3000]", /unknown key `prots` → Did you mean `ports`\?/],
    ["a key like nothing", "zzzzzzzzzzzzzz: 1", /→ Known here: kind, provider, image/],
    ["a key in scale", "scale: { mem: 1Gi }", /^pctl\.yaml:6:14: unknown key `mem` → Write `memory`/],
    ["a key in health", 'health: { command: "x", start_period: 3 }', /→ Write `grace`/],
    ["a key in a port", "ports: [{ containerPort: 1, target: 3000 }]", /unknown key `target` → Write `containerPort`/],
    ["a key in a volume", "volumes: [{ path: /a, source: b }]", /→ Write `name` \(a volume\) or `host`/],
    ["env as a list", "env: [A=b]", /env is a map, not a list/],
    [
      "a map in env",
      "env: { A: { b: c } }",
      /^pctl\.yaml:6:\d+: A must be text, a number, or true or false, not a map/,
    ],
    ["a variable with =", 'env: { "A=b": c }', /cannot be the name of a variable/],
    ["NUL in env", 'env: { A: "a\\0b" }', /holds a NUL character/],
    ["a volume as text", "volumes: [./a:/b]", /a volume is a map, not text/],
    ["two kinds of volume", "volumes: [{ path: /a, name: b, host: /c }]", /a volume has one of name, host/],
    ["a relative host folder", "volumes: [{ path: /a, host: ./c }]", /host must be an absolute path/],
    ["one path twice", "volumes: [{ path: /a }, { path: /a/ }]", /two volumes are mounted at/],
    [
      "a range that ends before it begins",
      "scale: { replica: [4, 2] }",
      /^pctl\.yaml:6:\d+: the range \[4, 2\] ends before it begins → Write \[2, 4\]/,
    ],
    ["a range of nothing", "scale: { replica: [0, 0] }", /must reach at least 1/],
    ["half a range", "scale: { replica: [2] }", /a range of replicas is \[min, max\]/],
    ["negative replicas", "scale: { replica: -1 }", /replica must be at least 0, not -1/],
    ["half a replica", "scale: { replica: 1.5 }", /a whole number/],
    ["replicas as a word", "scale: { replica: two }", /replica must be a number of replicas or a range/],
    ["a unit of Docker", "scale: { memory: 512m }", /the unit m is not known → Write 512Mi/],
    ["memory without unit", "scale: { memory: 512 }", /→ Write 512Mi/],
    ["no cpu", "scale: { cpu: 0 }", /less than 1m/],
    ["cpu as a word", "scale: { cpu: many }", /cpu must be cores/],
    ["port 0", "ports: [0]", /the port 0 is not between/],
    ["a port beyond", "ports: [70000]", /the port 70000 is not between/],
    ["a port of words", "ports: [http]", /"http" is no port → Write 3000, 8080:3000/],
    ["a range of ports", "ports: [3000-3005:3000-3005]", /→ Write each port of the range/],
    ["a wrong address", "ports: [300.1.1.1:80:80]", /300\.1\.1\.1 is no IP address/],
    ["a wrong protocol", "ports: [80:80/sctp]", /the protocol sctp is not known/],
    ["an address that publishes nothing", "ports: [{ containerPort: 80, address: 10.0.0.1 }]", /there is no hostPort/],
    ["one containerPort twice", "ports: [{ containerPort: 80 }, { containerPort: 80 }]", /port 80 stands here twice/],
    ["no probe", "health: { interval: 1 }", /health says nothing to probe/],
    ["two probes", "health: { http: /, command: x }", /health has http and command/],
    ["a probe without port", "health: { http: /up }", /health\.http needs a port/],
    [
      "a probe of a foreign port",
      "ports: [80]\n    health: { tcp: true, port: 81 }",
      /port 81 is none of this service's ports/,
    ],
    ["a duration of words", "stop: { grace: soon }", /grace must be a number of seconds, or a duration/],
    ["a signal in lower case", "stop: { signal: term }", /signal must be a signal such as SIGTERM/],
    ["half a certificate", "tls: { cert: c }", /cert and key belong together/],
    ["a URL as a domain", "domains: [https://example.com]", /must be a host name/],
    ["a number as password", "registry: { url: r, password: 1234 }", /password must be text in quotes, not a number/],
    ["an upper-case image", "image: Dockerfile", /"Dockerfile" is neither a path nor an image reference/],
    ["an image that is not there", "image: ./nothing-here", /^pctl\.yaml:5:12: \.\/nothing-here does not exist/],
    ["image and build", "image: nginx\n    build: { context: . }", /image and build exclude each other/],
    ["no image", "build: {}", /context is missing/],
    ["ports of a job", "kind: job\n    ports: [80]", /a job has no ports/],
    ["health of a job", "kind: job\n    health: { command: a }", /a job has no health → Remove it: a job is done/],
    ["several at once of a job", "kind: job\n    scale: { replica: 2 }", /a job runs once at a time/],
    ["a strategy of a job", "kind: job\n    strategy: rolling", /a job replaces nothing, and has no strategy →/],
    ["a batch of a job", "kind: job\n    strategy: { batch: 2 }", /a job replaces nothing, and has no strategy.batch/],
    ["a time zone without schedule", "kind: job\n    timezone: UTC", /timezone belongs to a schedule/],
    ["no provider in a list", "provider: []", /a list of providers names at least one/],
    ["a provider twice in a list", "provider: [local, local]", /local stands here twice/],
    ["options in a list", "provider: [{ name: docker }]", /item 1 of provider must be text, not a map/],
    [
      "a hold on several providers",
      "provider: [local, docker]\n    strategy: { type: rolling, onfailure: hold }",
      /is reverted on all of them when it fails on one: it cannot be held/,
    ],
    [
      "steps that fall",
      "strategy: { type: canary, steps: [25%, 5%] }",
      /steps are shares that rise, above 0% and below 100%/,
    ],
    ["no step", "strategy: { type: canary, steps: [] }", /steps are shares that rise/],
    ["an unknown strategy", "strategy: roling", /→ Did you mean rolling\?/],
    ["a schedule of no job", 'schedule: "* * * * *"', /schedule is for jobs/],
    ["a variable twice", "env: { A: b }\n    secrets: [A]", /A is set by env and by secrets/],
    ["an unknown provider", "provider: lcoal", /there is no provider lcoal → Did you mean local\?/],
    ["a provider of a later version", "provider: nomad", /the provider nomad is not part of this version/],
    ["null", "command:", /^pctl\.yaml:6:5: command has no value/],
  ];
  for (const [what, field, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(oneService(field), { env: { A: "long enough" } });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }
});
test("every field stands in the JSON Schema and the reference, with a description", () => {
  const schema = JSON.stringify(jsonSchema());
  const page = reference();
  for (const field of [
    "services.NAME.image",
    "services.NAME.health.onfailure",
    "services.NAME.ports[].containerPort",
    "services.NAME.volumes[].readOnly",
    "providers.NAME.accept",
    "environments",
  ]) {
    assert.ok(page.includes(`| \`${field}\` |`), field);
    assert.ok(schema.includes(`"${field.split(".").at(-1) ?? ""}":`), field);
  }
  assert.equal(page.includes("a map or a map"), false);
});
