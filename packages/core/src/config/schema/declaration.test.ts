import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as z from "zod";
import { oneService, parse, problemsOf, specOf, stackOf } from "../fixture.test.support.ts";
import { jsonSchema } from "../json-schema.ts";

describe("one problem does not hide another, nor make one up", () => {
  const cases: readonly (readonly [string, string, readonly RegExp[]])[] = [
    [
      "several fields of one service",
      oneService("imag: x", "prots: [80]", "scale: { cpu: many, memry: 3, replica: -1 }", "tls: { cert: c }"),
      [/unknown key `imag`/, /unknown key `prots`/, /cpu must be/, /unknown key `memry`/, /at least 0/, /cert and key/],
    ],
    [
      "no name, and an image that is none",
      "provider: local\nservices: { web: { image: X } }\n",
      [/name is missing/, /"X" is neither/],
    ],
    ["no services, and a wrong provider", "name: a\nprovider: lcoal\n", [/services is missing/, /no provider lcoal/]],
    ["services of another kind", "name: a\nservices: []\n", [/services must be a map, not a list/]],
    [
      "a service of another kind, which another needs",
      stackOfTwo("b: 3"),
      [/b must be a map with image, not a number/],
    ],
    ["a service without its image, which another needs", stackOfTwo("b: {}"), [/image is missing/]],
    [
      "a provider without type, which a service names",
      "name: a\nproviders: { here: {} }\nservices: { web: { image: nginx, provider: here } }\n",
      [/type is missing/],
    ],
    ["a list where text belongs", oneService("formerly: []"), [/formerly must be text, not a list/]],
    [
      "an empty list for no text",
      oneService("health: { http: [] }"),
      [/http must be a path that begins with \/, not a list/],
    ],
    ["a bad item beside good ones", oneService("ports: [80, true, 81]"), [/item 2 of ports must be a port such as/]],
    [
      "a bad bound of a range",
      oneService("scale: { replica: [a, 2] }"),
      [/item 1 of replica must be a number of replicas/],
    ],
    ["two keys that are missing", oneService("volumes: [{}]", "domains: [{}]"), [/path is missing/, /host is missing/]],
    ["null in a list", oneService("ports: [null]"), [/item 1 of ports has no value/]],
  ];
  for (const [what, text, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(text);
      assert.equal(problems.length, expected.length, problems.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? "", pattern);
    });
  }
});

function stackOfTwo(other: string): string {
  return `name: a\nprovider: local\nservices:\n  web: { image: nginx, needs: [b] }\n  ${other}\n`;
}

describe("of alternatives the one of the value's kind is judged", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["domains: [SHOP.example.com]", /item 1 of domains must be a host name/],
    ["domains: [{ host: a.com, path: x }]", /path must be a path that begins with/],
    ["domains: [3]", /item 1 of domains must be a host name such as shop\.example\.com or a map, not a number/],
    ["tls: maybe", /tls must be true or false or a map, not text/],
    ["tls: { mail: x }", /unknown key `mail` → Did you mean `email`/],
    ["strategy: []", /strategy must be recreate, rolling, blue_green or canary or a map, not a list/],
    ["strategy: { batch: 0 }", /batch must be at least 1, not 0/],
    ["strategy: { batch: x }", /batch must be a share such as 25%/],
    ["strategy: { pause: manuel }", /pause must be a number of seconds/],
    ["needs: { db: started }", /db must be healthy or completed/],
    ["secrets: [{ A: }]", /A has no value/],
    ["ports: [80]\n    health: { http: /, port: 70000 }", /port must be between 1 and 65535, not 70000/],
  ];
  for (const [field, expected] of cases) {
    test(field, async () => {
      const problems = await problemsOf(oneService(field));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }
});

test("a value is never shown, only its kind", async () => {
  const secret = "hunter2hunter2";
  const fields = [`env: { A: [${secret}] }`, `registry: { url: r, password: [${secret}] }`, `tls: ${secret}`];
  for (const field of [
    ...fields,
    `scale: { cpu: ${secret} }`,
    `stop: { grace: ${secret} }`,
    `health: { http: ${secret} }`,
  ]) {
    const problems = await problemsOf(oneService(field));
    assert.notEqual(problems.length, 0, field);
    assert.doesNotMatch(problems.join("\n"), new RegExp(secret), field);
  }
});

test("what pctl 1.1 ignored is said where it had the map", async () => {
  const details = async (field: string) => (await parse(oneService(field))).diagnostics.map((each) => each.detail);
  assert.deepEqual(await details("prots: [80]"), ["pctl 1.1 ignored this key."]);
  assert.deepEqual(await details("build: { context: ., arg: {} }"), [undefined]);
});

test("keys of the user's own, beginning with x-, stand beside ours", async () => {
  const stack = await stackOf(`x-all: { a: 1 }\n${oneService("x-mine: [1]")}`);
  assert.deepEqual(Object.keys(stack.services), ["web"]);
  assert.match((await problemsOf(oneService("scale: { x-mine: 1 }"))).join("\n"), /unknown key `x-mine`/);
});

test("what could not be resolved is told once, and nothing follows from it", async () => {
  const fields = [
    'image: "${env:IMAGE}"',
    'ports: [{ containerPort: 80, address: 10.0.0.1, hostPort: "${env:PORT}" }]',
    'scale: { replica: ["${env:LEAST}", 4], cpu: "${env:CPU}" }',
    'volumes: [{ path: "${env:MOUNT}" }]',
    'domains: [a.example.com, "${env:DOMAIN}"]',
    'needs: "${env:NEEDS}"',
  ];
  const problems = await problemsOf(oneService(...fields));
  assert.equal(problems.length, 7, problems.join("\n"));
  for (const each of problems) assert.match(each, /the environment variable [A-Z]+ is not set/);
});

test("what is not resolved while operating is passed over", async () => {
  const fields = ['registry: { url: "${secret:URL}" }', 'env: { A: "${env:A}" }', 'secrets: ["${env:B}"]'];
  const spec = await specOf(oneService(...fields, "scale: { memory: 256Mi }"), { purpose: "operate" });
  assert.equal(spec.scale.memoryMb, 256);
});

describe("the JSON Schema says of a file what reading it says", () => {
  const schema = z.fromJSONSchema(jsonSchema());
  const web = (service: object): object => ({
    name: "a",
    provider: "local",
    services: { web: { image: "nginx", ...service } },
  });
  const good: readonly object[] = [
    web({}),
    web({
      scale: { replica: [1, 4], cpu: 0.5, memory: "256Mi", gpu: { count: 1 } },
      ports: [3000, "8080:3000", { containerPort: 1 }],
    }),
    web({ scale: { replica: "${env:REPLICAS}", memory: "${env:MEMORY, 1Gi}" }, protect: "${env:PROTECT}" }),
    web({ strategy: { type: "rolling", batch: "25%", pause: "manual", timeout: "2m" }, needs: { db: "healthy" } }),
    web({
      env: { A: 1, B: true, C: "x" },
      domains: ["a.com", { host: "b.com", path: "/x" }],
      tls: { email: "a@b.c" },
      "x-own": 1,
    }),
    { ...web({}), environments: { production: { keep: 3 }, staging: null }, "x-own": {}, custom: { a: [1] } },
  ];
  for (const [index, each] of good.entries())
    test(`good ${index + 1}`, () => assert.deepEqual(schema.safeParse(each).error?.issues ?? [], []));
  const bad: readonly (readonly [string, object])[] = [
    ["no services", { name: "a" }],
    ["an unknown key", { ...web({}), servces: {} }],
    ["an unknown key of a service", web({ prots: [80] })],
    ["an unknown strategy", web({ strategy: "roling" })],
    ["a unit of Docker", web({ scale: { memory: "512m" } })],
    ["env as a list", web({ env: ["A=b"] })],
    ["half a range", web({ scale: { replica: [1] } })],
    ["a port without its number", web({ ports: [{ hostPort: 1 }] })],
    ["a number as password", web({ registry: { url: "r", password: 1 } })],
  ];
  for (const [what, each] of bad) test(what, () => assert.equal(schema.safeParse(each).success, false));
});
