import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dependencies } from "./dependencies.ts";
import { inFolder, loadFiles, optionsFor, problemsOf, stackOf, told } from "./fixture.test.support.ts";
import { parseStack } from "./load.ts";
import { wireStack } from "./wire.ts";

const stack = (services: string, head = "provider: local"): string =>
  `name: shop\n${head}\nservices:\n${services
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n")}\n`;

describe("services that do not fit together are refused before anything is touched", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "a circle of needs",
      stack("web: { image: a, needs: [db] }\ndb: { image: a, needs: [web] }"),
      /^pctl\.yaml:4:20: services wait for each other: web → db → web/,
    ],
    [
      "a circle of needs and wiring",
      stack("web: { image: a, needs: [db] }\ndb: { image: a, env: { A: '${service:web.host}' } }"),
      /services wait for each other: web → db → web/,
    ],
    ["a service that needs itself", stack("web: { image: a, needs: [web] }"), /web → web/],
    [
      "an unknown need",
      stack("web: { image: a, needs: [bd] }\ndb: { image: a }"),
      /web needs bd, which is no service → Did you mean db\?/,
    ],
    [
      "completed of a service",
      stack("web: { image: a, needs: { db: completed } }\ndb: { image: a }"),
      /db is no job and never completes/,
    ],
    [
      "compose's condition",
      stack("web: { image: a, needs: { db: service_healthy } }\ndb: { image: a }"),
      /db must be healthy or completed/,
    ],
    [
      "replica and service",
      stack("a: { image: a, scale: { replica: 2 } }\na-1: { image: a }"),
      /^pctl\.yaml:5:3: a-1 has the name of replica 1 of a: shop-a-1 → Rename a-1/,
    ],
    [
      "the most of a range counts",
      stack("a: { image: a, scale: { replica: [1, 3] } }\na-3: { image: a }"),
      /replica 3 of a/,
    ],
    [
      "gateway and service",
      stack("x: { image: a }\nx-gateway: { image: a }"),
      /x-gateway has the name of the gateway of x/,
    ],
    [
      "one host port twice",
      stack("a: { image: a, ports: [8080:1] }\nb: { image: a, ports: [8080:2] }"),
      /^pctl\.yaml:5:26: host port 8080 is published by a too/,
    ],
    [
      "an address within all",
      stack("a: { image: a, ports: [127.0.0.1:80:1] }\nb: { image: a, ports: [80:2] }"),
      /host port 80 is published by a too/,
    ],
    [
      "one host port for one domain",
      stack(
        "a: { image: a, ports: [80], domains: [x.org] }\nb: { image: a, ports: [80], domains: [y.org, { host: x.org, path: / }] }",
      ),
      /host port 80 is published by a too/,
    ],
    [
      "one host port for two without domains",
      stack(
        "a: { image: a, ports: [80], domains: [x.org] }\nb: { image: a, ports: [80] }\nc: { image: a, ports: [80] }",
      ),
      /host port 80 is published by b too → .*domains/,
    ],
    [
      "domains on a TCP port",
      stack("a: { image: a, ports: [80/tcp], domains: [x.org] }\nb: { image: a, ports: [80], domains: [y.org] }"),
      /host port 80 is published by a too/,
    ],
    ["one host port twice in a service", stack("a: { image: a, ports: [80, 80] }"), /host port 80 is published twice/],
    [
      "two names of one host",
      stack(
        "a: { image: a, provider: x, ports: [80] }\nb: { image: a, provider: y, ports: [80] }",
        "providers: { x: { type: docker }, y: { type: docker } }",
      ),
      /host port 80 is published by a too/,
    ],
    [
      "a name that is still used",
      stack("a: { image: a, formerly: b }\nb: { image: a }"),
      /b still is a service of its own/,
    ],
    ["two heirs", stack("a: { image: a, formerly: c }\nb: { image: a, formerly: c }"), /a and b were both c/],
    [
      "the address of no service",
      stack("a: { image: a, env: { A: '${service:d.host}' } }\nb: { image: a }"),
      /\$\{service:d\.host\} names no service/,
    ],
    [
      "a port of a service without ports",
      stack("a: { image: a, env: { A: '${service:b.port}' } }\nb: { image: a }"),
      /\$\{service:b\.port\}: b has no ports → Add it to services\.b/,
    ],
    [
      "a port that the other does not have",
      stack("a: { image: a, env: { A: '${service:b.port.91}' } }\nb: { image: a, ports: [90] }"),
      /b has no port 91; it has 90/,
    ],
    [
      "an address where it cannot stand",
      stack("a: { image: 'x-${service:b.host}' }\nb: { image: a }"),
      /the address of a service cannot stand here/,
    ],
    [
      "an address in a key",
      stack("a: { image: a, env: { A: '${env:X_${service:b.host}}' } }\nb: { image: a }"),
      /known only later and cannot be part of a key/,
    ],
  ];
  for (const [what, text, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(text);
      assert.match(problems[0] ?? "no problem", expected);
    });
  }
});

describe("what does fit", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "one host port for services whose domains differ",
      stack(
        "a: { image: a, ports: [80], domains: [x.org] }\nb: { image: a, ports: [80], domains: [{ host: x.org, path: /api }] }\nc: { image: a, ports: [80] }",
      ),
    ],
    ["one host port by TCP and UDP", stack("a: { image: a, ports: [53:53/tcp, 53:53/udp] }")],
    ["one host port at two addresses", stack("a: { image: a, ports: [127.0.0.1:80:1, 127.0.0.2:80:1] }")],
    [
      "one host port on two hosts",
      stack("a: { image: a, provider: local, ports: [80] }\nb: { image: a, provider: docker, ports: [80] }"),
    ],
    [
      "one port on a cluster, where each service has its address",
      stack("a: { image: a, ports: [80] }\nb: { image: a, ports: [80] }", "provider: aws"),
    ],
    ["a-1 beside one a", stack("a: { image: a }\na-1: { image: a }")],
    ["a-1 elsewhere", stack("a: { image: a, scale: { replica: 2 } }\na-1: { image: a, provider: docker }")],
    ["its own address", stack("a: { image: a, ports: [80], env: { SELF: '${service:a.url}' } }")],
  ];
  for (const [what, text] of cases) test(what, async () => assert.deepEqual(await problemsOf(text), []));
});

test("wiring: addresses in env, commands and probes; ordered like needs", async () => {
  const parsed = await stackOf(
    stack(`web:
  image: a
  needs: [cache]
  ports: [80]
  env: { DB: "pg://\${service:db.host}:\${service:db.port}/x", ADMIN: "\${service:db.port.9090}", FALL: "\${env:UNSET, \${service:db.url}}", ME: "\${service:web.url}" }
  command: [run, "--db=\${service:db.host}"]
  health: { command: "check \${service:db.host}" }
db: { image: a, ports: [{ containerPort: 5432 }, { containerPort: 9090 }] }
cache: { image: a }`),
  );
  const web = parsed.services["web"];
  assert.ok(web);
  assert.deepEqual(dependencies(web), ["cache", "db"]);
  const address = (service: string) =>
    service === "db"
      ? {
          host: "127.1.2.3",
          ports: [
            { containerPort: 5432, port: 25_432, url: "tcp://127.1.2.3:25432" },
            { containerPort: 9090, port: 29_090, url: "http://127.1.2.3:29090" },
          ],
          published: [],
        }
      : { host: "localhost", ports: [{ containerPort: 80, port: 80, url: "http://localhost" }], published: [] };
  const wired = wireStack(parsed, address);
  const spec = wired.services.find((each) => each.name === "web")?.service.spec;
  assert.deepEqual(wired.diagnostics, []);
  assert.deepEqual(spec?.env, {
    DB: "pg://127.1.2.3:25432/x",
    ADMIN: "29090",
    FALL: "tcp://127.1.2.3:25432",
    ME: "http://localhost",
  });
  assert.deepEqual(spec?.command, { args: ["run", "--db=127.1.2.3"] });
  assert.deepEqual(spec?.health?.probe, { kind: "command", command: { shell: "check 127.1.2.3" } });
  assert.doesNotMatch(JSON.stringify(wired.services), /\\u0000/);

  const unknown = wireStack(parsed, () => undefined);
  assert.match(unknown.diagnostics[0]?.summary ?? "", /the address for \$\{service:db\.host\} is not known/);
  assert.deepEqual(unknown.diagnostics[0]?.range?.start, { line: 4, column: 3 });
});

describe("files and images", () => {
  const text = (fields: string) => stack(`web: { image: ./app, files: { ${fields} } }`);
  test("are read with their digest, relative to the configuration's folder", async () => {
    await inFolder({ "app/x": "", "conf/a.conf": "hello\n" }, async (folder) => {
      const { stack: parsed } = await parseStack(text("/etc/a.conf: ./conf/a.conf"), optionsFor({ cwd: folder }));
      const spec = parsed?.services["web"]?.spec;
      assert.deepEqual(spec?.files, [
        {
          path: "/etc/a.conf",
          source: `${folder}/conf/a.conf`,
          digest: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
          contentBase64: "aGVsbG8K",
        },
      ]);
      assert.deepEqual(spec?.image, { kind: "path", path: `${folder}/app`, declared: "./app" });
      assert.equal(parsed?.folder, folder);
    });
  });
  test("that are missing, folders or too large are told", async () => {
    const problems = told(
      await loadFiles({
        "pctl.yaml": text("/a: ./no, /b: ./app, /c: ./large"),
        "app/x": "",
        large: Buffer.alloc(2 ** 20 + 1),
      }),
    );
    assert.deepEqual(
      problems.map((each) => each.replace(/ →.*/, "")),
      [
        "pctl.yaml:4:37: ./no does not exist",
        "pctl.yaml:4:47: ./app is a folder",
        "pctl.yaml:4:58: ./large has 1048577 bytes, more than 1 MiB",
      ],
    );
  });
});
