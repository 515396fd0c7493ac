import assert from "node:assert/strict";
import { test } from "node:test";
import { notesOf, tryCompose, web } from "./fixture.test.support.ts";

/** What a service with these lines becomes, without its image. */
const becomes: readonly (readonly [
  title: string,
  lines: readonly string[],
  fields: Readonly<Record<string, unknown>>,
  notes?: readonly string[],
])[] = [
  ["ports: host and container", ['ports: ["8080:80", 3000:3000]'], { ports: ["8080:80", "3000:3000"] }],
  [
    "ports: UDP, addresses",
    ['ports: ["53:53/udp", "127.0.0.1:5432:5432", "[::1]:80:80"]'],
    { ports: ["53:53/udp", "127.0.0.1:5432:5432", "[::1]:80:80"] },
  ],
  ["ports: ranges", ['ports: ["9000-9001:8000-8001"]'], { ports: ["9000:8000", "9001:8001"] }],
  [
    "ports: one of a range",
    ['ports: ["9000-9005:80"]'],
    { ports: ["9000:80"] },
    ["differs: compose takes the first free port of 9000-9005; a host port is one number here, 9000"],
  ],
  [
    "ports: by chance",
    ["ports: [3000]"],
    { ports: [{ containerPort: 3000 }] },
    ["differs: compose publishes this port at one that is free by chance; here only other services reach it"],
  ],
  [
    "ports: maps",
    ["ports: [{ target: 80, published: 8080, host_ip: 127.0.0.1, protocol: tcp }]"],
    { ports: ["127.0.0.1:8080:80"] },
  ],
  [
    "expose",
    ['ports: ["8080:80"]', 'expose: ["80", "9090-9091"]'],
    { ports: ["8080:80", { containerPort: 9090 }, { containerPort: 9091 }] },
  ],
  [
    "a command is split as compose splits it",
    [`command: run "a b" c\\ d 'e "f"' --x=''`],
    { command: ["run", "a b", "c d", 'e "f"', "--x="] },
  ],
  ["a list stays one", ["command: [a, 'b c', 1]"], { command: ["a", "b c", "1"] }],
  ["entrypoint", ["entrypoint: /run.sh now"], { entrypoint: ["/run.sh", "now"] }],
  ["no entrypoint", ["entrypoint: []"], { entrypoint: [] }],
  ["null is the image's own", ["command:", "entrypoint: null"], {}],
  ["an empty command", ["command: []"], {}, ["left out: an empty `command` takes the image's own away"]],
  [
    "environment as a map",
    ["environment: { A: 1.10, B: true, C: text, D: '' }"],
    { env: { A: 1.1, B: true, C: "text", D: "" } },
  ],
  ["environment as a list", ["environment: [A=1, B=x=y, A=2]"], { env: { A: 2, B: "x=y" } }],
  ["environment from outside", ["environment: [A]"], { secrets: ["A"] }],
  [
    "health by a shell",
    ['healthcheck: { test: "curl -f http://localhost/", interval: 1m30s, start_period: 5s, retries: 2 }'],
    { health: { command: "curl -f http://localhost/", interval: "1m30s", grace: 5, timeout: 30, retries: 2 } },
  ],
  [
    "health by arguments",
    ["healthcheck: { test: [CMD, pg_isready, -U, app], timeout: 500ms }"],
    { health: { command: ["pg_isready", "-U", "app"], timeout: "500ms" } },
  ],
  [
    "health switched off",
    ["healthcheck: { test: [NONE] }"],
    {},
    ["left out: a health check of the image cannot be switched off"],
  ],
  ["limits", ["mem_limit: 512m", "cpus: 0.5", "scale: 3"], { scale: { memory: "512Mi", cpu: "500m", replica: 3 } }],
  [
    "limits of deploy",
    ["deploy: { replicas: 0, resources: { limits: { cpus: '2', memory: 1gb } } }"],
    { scale: { replica: 0, cpu: 2, memory: "1Gi" } },
  ],
  [
    "GPUs",
    ["deploy: { resources: { reservations: { devices: [{ driver: nvidia, count: 2, capabilities: [gpu] }] } } }"],
    { scale: { gpu: { count: 2 } } },
  ],
  [
    "updates",
    ["deploy: { update_config: { parallelism: 2, order: start-first, failure_action: pause } }"],
    { strategy: { type: "rolling", batch: 2, onfailure: "hold" } },
  ],
  ["stop", ["stop_signal: int", "stop_grace_period: 1m"], { stop: { signal: "SIGINT", grace: "1m" } }],
  ["restart always is how it is", ["restart: unless-stopped"], {}],
  ["restart never", ['restart: "no"'], {}, ["differs: a service that ends is always started again"]],
  ["a volume without a name", ["volumes: [/data]"], { volumes: [{ path: "/data" }] }],
  [
    "a path of the host",
    ["volumes: ['/srv/x:/data:ro']"],
    { volumes: [{ path: "/data", host: "/srv/x", readOnly: true }] },
    ["differs: /srv/x is a path of the host that runs the service"],
  ],
  [
    "a folder that is not there",
    ["volumes: ['./data:/data']"],
    { volumes: [{ path: "/data", name: "web-data" }] },
    ["left out: the folder ./data of this machine is not mounted at /data: a host may lack it"],
  ],
  ["tmpfs", ["tmpfs: [/run]"], {}, ["differs: `tmpfs` is no memory here"]],
  [
    "rights",
    ["privileged: true", "cap_add: [NET_ADMIN]", "network_mode: host"],
    {},
    [
      "left out: `privileged` has no counterpart",
      "left out: `cap_add` has no counterpart",
      "left out: `network_mode: host` has no counterpart",
    ],
  ],
  ["what is switched off is not missed", ["privileged: false", "cap_add: []", "read_only: false"], {}],
  ["what means nothing for a deploy", ["tty: true", "stdin_open: true", "pull_policy: always", "x-mine: { a: 1 }"], {}],
  ["networks", ["networks: { default: { aliases: [www] } }"], {}, ["left out: nobody is found as www"]],
];

for (const [title, lines, fields, notes = []] of becomes) {
  test(title, async () => {
    const tried = await tryCompose(web(...lines), {}, { A: "from outside" });
    assert.deepEqual(tried.written.services["web"], { image: "busybox", ...fields });
    assert.deepEqual(notesOf(tried), notes);
    assert.ok(tried.stack !== undefined);
  });
}

test("what is needed completed is a job", async () => {
  const tried = await tryCompose(`
services:
  web:
    image: busybox
    depends_on: { db: { condition: service_healthy }, migrate: { condition: service_completed_successfully } }
  worker: { image: busybox, depends_on: [db, migrate], links: ["db:postgres"] }
  migrate: { image: busybox, depends_on: [db], restart: "no", ports: ["80:80"], healthcheck: { test: x } }
  db: { image: busybox }
`);
  const { services } = tried.written;
  assert.deepEqual(services["web"]?.["needs"], { db: "healthy", migrate: "completed" });
  assert.deepEqual(services["worker"]?.["needs"], { db: "healthy", migrate: "completed" });
  assert.deepEqual(services["migrate"], { kind: "job", image: "busybox", needs: ["db"] });
  assert.deepEqual(notesOf(tried), ["left out: nobody is found as postgres"]);
});

test("builds: a folder, and all that a build may have", async () => {
  const tried = await tryCompose(
    `
secrets: { npm: { environment: NPM_TOKEN }, plain: { environment: plain } }
services:
  simple: { build: ./web }
  full:
    image: registry.example.com/full
    build:
      context: ./web
      dockerfile: Containerfile
      target: prod
      args: [VERSION=1.10, "COMMIT=\${COMMIT:-none}", PASSED]
      platforms: [linux/arm64]
      secrets: [npm, plain]
      cache_from: [type=gha]
`,
    { "web/Dockerfile": "FROM busybox", "web/Containerfile": "FROM busybox" },
  );
  assert.deepEqual(tried.written.services["simple"], { image: "./web" });
  assert.deepEqual(tried.written.services["full"], {
    build: {
      context: "./web",
      dockerfile: "Containerfile",
      target: "prod",
      args: { VERSION: "1.10", COMMIT: "${env:COMMIT, none}", PASSED: "${env:PASSED, }" },
      secrets: ["npm", "plain"],
      platform: "linux/arm64",
    },
  });
  assert.deepEqual(notesOf(tried), [
    "differs: images that are built get names of pctl's own",
    "differs: the build's secret npm takes its value from NPM_TOKEN in compose",
    "left out: `build.cache_from` has no counterpart",
  ]);
});

test("named volumes say how compose's data is taken over", async () => {
  const tried = await tryCompose(`
volumes: { data: , named: { name: its_own }, theirs: { external: true, name: "x-\${N:-1}" } }
services:
  web:
    image: busybox
    volumes: [data:/a, { type: volume, source: named, target: /b, read_only: true }, theirs:/c]
`);
  assert.deepEqual(tried.written.services["web"]?.["volumes"], [
    { path: "/a", name: "data" },
    { path: "/b", name: "named", readOnly: true },
    { path: "/c", external: "x-1" },
  ]);
  const said = tried.text.replaceAll(/\s+# /g, " ");
  assert.match(said, /`external: project_data` in place of `name: data`\./);
  assert.match(said, /`external: its_own` in place of `name: named`\./);
  assert.deepEqual(notesOf(tried), [
    "differs: the volume data begins empty: compose's is project_data",
    "differs: the volume named begins empty: compose's is its_own",
  ]);
});

test("files: bound ones, small folders, configs and secrets", async () => {
  const tried = await tryCompose(
    `
configs: { app: { file: ./app.conf }, inline: { content: hello } }
secrets: { cert: { file: ./cert.pem }, token: { environment: TOKEN }, theirs: { external: true } }
services:
  web:
    image: busybox
    volumes: ["./nginx.conf:/etc/nginx.conf:ro", "./conf.d:/etc/conf.d:ro", "./init:/init", "./files:/files"]
    configs: [{ source: app, target: /etc/app.conf }, inline]
    secrets: [cert, token, theirs]
`,
    {
      "nginx.conf": "a",
      "conf.d/one.conf": "b",
      "conf.d/sub/two": "c",
      "init/01.sql": "select 1",
      "files/kept.sql": "",
      "app.conf": "d",
      "cert.pem": "e",
    },
  );
  assert.deepEqual(tried.written.services["web"]?.["files"], {
    "/etc/nginx.conf": "./nginx.conf",
    "/etc/conf.d/one.conf": "./conf.d/one.conf",
    "/etc/conf.d/sub/two": "./conf.d/sub/two",
    "/init/01.sql": "./init/01.sql",
    "/etc/app.conf": "./app.conf",
    "/run/secrets/cert": "./cert.pem",
  });
  assert.deepEqual(tried.written.services["web"]?.["volumes"], [{ path: "/files", name: "web-files" }]);
  assert.deepEqual(notesOf(tried), [
    "differs: the files of ./conf.d are named one by one, and copied",
    "differs: the files of ./init are named one by one, and copied",
    "left out: the folder ./files of this machine is not mounted at /files: a host may lack it",
    "left out: the text of the config inline stands in the compose file",
    "left out: the secret token is the variable TOKEN, and no file",
    "left out: the secret theirs is not in the compose file",
  ]);
});

test("secrets stand in no file, and in no command", async () => {
  const tried = await tryCompose(
    web(
      "command: serve --token ${API_TOKEN} --port ${PORT} it's''",
      'healthcheck: { test: [CMD, check, "-p${DB_PASSWORD:-none}"] }',
      'environment: { TOKEN: "${API_TOKEN}", USER: "${DB_USER}", HOST: "${HOST:?}", URL: "x://${DB_PASSWORD}@db" }',
    ).replace("it's''", `"it's"`),
    { ".env": "API_TOKEN=s3cret!\nDB_USER=app\nPORT=8080\nDB_PASSWORD=hunter2 hunter2\n" },
    { HOST: "here" },
  );
  const { text, written, stack } = tried;
  assert.ok(!text.includes("s3cret") && !text.includes("hunter2"), text);
  assert.deepEqual(written.services["web"], {
    image: "busybox",
    command: ["sh", "-c", `exec serve --token "$TOKEN" --port "$PORT" 'it'\\''s'`],
    health: { command: ["sh", "-c", `exec check -p"$DB_PASSWORD"`], timeout: 30 },
    env: {
      USER: "${env:DB_USER, app}",
      HOST: "${env:HOST}",
      URL: "x://${secret:DB_PASSWORD}@db",
      PORT: "${env:PORT, 8080}",
      DB_PASSWORD: "${secret:DB_PASSWORD, none}",
    },
    secrets: [{ TOKEN: "API_TOKEN" }],
  });
  const env = stack?.services["web"]?.spec.env;
  assert.deepEqual(env, {
    USER: "app",
    HOST: "here",
    URL: "x://hunter2 hunter2@db",
    PORT: "8080",
    DB_PASSWORD: "hunter2 hunter2",
    TOKEN: "s3cret!",
  });
});

test("variables of an env_file are looked up there by each deploy; two values of one name get two names", async () => {
  const tried = await tryCompose(
    `
services:
  a: { image: busybox, env_file: [a.env, { path: gone.env, required: false }], environment: { OWN: here } }
  b: { image: busybox, env_file: { path: b.env } }
  c: { image: busybox, env_file: .env }
`,
    { "a.env": "SHARED=1\nOWN=there\nX=a\n", "b.env": "SHARED=1\nX=b\n", ".env": "Z=z\n" },
  );
  assert.deepEqual(tried.written.services, {
    a: { image: "busybox", env: { OWN: "here" }, secrets: ["SHARED", "X"] },
    b: { image: "busybox", secrets: ["SHARED", { X: "B_X" }] },
    c: { image: "busybox", secrets: ["Z"] },
  });
  assert.deepEqual(tried.envFiles, ["a.env", "b.env"]);
  assert.deepEqual(tried.required, ["B_X"]);
  assert.deepEqual(notesOf(tried), ["differs: X has another value in b.env than elsewhere"]);
});

test("ports that others name are declared: a gateway passes on no others", async () => {
  const tried = await tryCompose(`
services:
  api: { image: busybox, ports: ["8080:80"] }
  bare: { image: busybox }
  web: { image: busybox, environment: { API: "http://api:9000/", BARE: "bare:1234", OTHER: "my-api:1" }, command: wait api:80 }
`);
  assert.deepEqual(tried.written.services["api"]?.["ports"], ["8080:80", { containerPort: 9000 }]);
  assert.equal(tried.written.services["bare"]?.["ports"], undefined);
});

test("what another file extends keeps its place in that file", async () => {
  const { notes, written } = await tryCompose(
    "services:\n  web:\n    extends: { file: base/base.yaml, service: base }\n    environment: { B: own }\n",
    {
      "base/base.yaml":
        "services:\n  base:\n    image: busybox\n    privileged: true\n    environment: [A=1, B=2]\n    volumes: [./x.conf:/x.conf:ro]\n",
      "base/x.conf": "x",
    },
  );
  assert.deepEqual(written.services["web"], {
    image: "busybox",
    env: { A: 1, B: "own" },
    files: { "/x.conf": "./base/x.conf" },
  });
  assert.deepEqual(
    notes.map(({ path, range }) => [path, range?.start]),
    [["base/base.yaml", { line: 4, column: 5 }]],
  );
});

test("the name: as compose has it, then as a stack may be called", async () => {
  const nameOf = async (head: string, env: Readonly<Record<string, string>> = {}): Promise<string> =>
    (await tryCompose(`${head}${web()}`, {}, env)).name;
  const names = await Promise.all([
    nameOf(""),
    nameOf("name: My_Shop\n"),
    nameOf("name: ${N:-x_1}\n"),
    nameOf("name: given\n", { COMPOSE_PROJECT_NAME: "wins" }),
  ]);
  assert.deepEqual(names, ["project", "my-shop", "x-1", "wins"]);
});
