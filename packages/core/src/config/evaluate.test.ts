import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRedactor } from "../errors/redaction.ts";
import { loadFiles, oneService, problemsOf, specOf, stackOf, told } from "./fixture.test.support.ts";
import { defineResolver } from "./resolver.ts";

const env = { STAGE: "prod", EMPTY: "", TOKEN: "hunter2-hunter2", NESTED: "${env:STAGE}", PORT: "3000", KEY: "STAGE" };
const custom = `custom:
  hosts: { prod: prod.internal, dev: dev.internal }
  list: [first, { deep: second }, 3003]
  number: 8080
  chain: \${self:custom.hosts.prod}
  "with.dot": dotted
`;

describe("expressions in env", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["plain", "plain"],
    ["${env:STAGE}", "prod"],
    ["${ env : STAGE }", "prod"],
    ["a-${env:STAGE}-${env:STAGE}", "a-prod-prod"],
    ["${env:EMPTY, other}", ""],
    ["${env:UNSET, other}", "other"],
    ["${env:UNSET,   trimmed  }", "trimmed"],
    ["${env:UNSET,}", ""],
    ["${env:UNSET, a, b}", "a, b"],
    ['${env:UNSET, {"a": 1}}', '{"a": 1}'],
    ["${env:UNSET, ${env:UNSET2, ${env:STAGE}}}", "prod"],
    ["${self:custom.hosts.${env:STAGE}}", "prod.internal"],
    ["${env:${env:KEY}}", "prod"],
    ["${self:custom.list.0}", "first"],
    ["${self:custom.list.1.deep}", "second"],
    ["${self:custom.list[2]}", "3003"],
    ["${self:custom.with.dot}", "dotted"],
    ["${self:custom.chain}", "prod.internal"],
    ["${self:custom.nothing, none}", "none"],
    ["${self:name}", "shop"],
    ["${self:services.web.image}", "nginx:1.27"],
    // What was resolved is text, whatever it looks like.
    ["${env:NESTED}", "${env:STAGE}"],
    ["$${env:STAGE}", "${env:STAGE}"],
    ["$$5 $HOME $", "$$5 $HOME $"],
    ["{a:b} ${}", "{a:b} ${}"],
  ];
  for (const [source, value] of cases) {
    test(source, async () =>
      assert.equal(
        (await specOf(custom + oneService(`env: { A: ${JSON.stringify(source)} }`), { env })).env["A"],
        value,
      ),
    );
  }
});

test("a text that is one expression takes the value's own type; a map is copied", async () => {
  const text = `custom: { ports: [8080], scale: { replica: 2 } }\n${oneService("ports: ${self:custom.ports}", "scale: ${self:custom.scale}")}`;
  const spec = await specOf(text);
  assert.deepEqual([spec.ports.map((each) => each.hostPort), spec.scale], [[8080], { replicas: 2 }]);
});

describe("problems with expressions stand where the expression stands", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "unset",
      "A: x-${env:UNSET}",
      /^pctl\.yaml:7:12: the environment variable UNSET is not set, and there is no fallback → Set it, or write a fallback: \$\{env:UNSET, value\}/,
    ],
    ["absent in self", "A: ${self:custom.x}", /^pctl\.yaml:7:10: \$\{self:custom\.x\} has no value/],
    ["an unknown resolver", "A: ${evn:X}", /there is no resolver evn → Did you mean env\?/],
    [
      "compose's default",
      "A: ${PORT:-3000}",
      /there is no resolver PORT → For an environment variable write \$\{env:PORT, fallback\}; for the text itself write \$\$\{\./,
    ],
    ["a later resolver", "A: ${ssm:/x}", /the resolver ssm comes with a later version/],
    ["a later resolver with a fallback", "A: ${cfn:Stack.Output, x}", /the resolver cfn comes with a later version/],
    ["no end", 'A: "${env:X"', /has no closing brace/],
    ["a map in a text", "A: x-${self:services}", /depends on itself|cannot stand inside a text/],
    [
      "itself",
      "A: ${self:services.web.env.A}",
      /this value depends on itself: services\.web\.env\.A → services\.web\.env\.A/,
    ],
    [
      "a circle",
      "A: ${self:services.web.env.B}\n      B: ${self:services.web.env.A}",
      /this value depends on itself: services\.web\.env\.\w → services\.web\.env\.\w → services\.web\.env\.\w/,
    ],
    ["a wrong part of an address", "A: ${service:web.hots}", /names no part of a service's address/],
  ];
  for (const [what, line, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(oneService("env:", `  ${line}`), { env });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }
});

describe("${UPPER_CASE} stays", () => {
  test("outside of commands with a warning", async () => {
    assert.deepEqual(await problemsOf(oneService('env: { A: "x ${FOO} y" }')), [
      "warning pctl.yaml:6:18: ${FOO} stays as it is → If the environment variable is meant, write ${env:FOO}; to keep the text without this warning, write $${FOO}.",
    ]);
    assert.equal((await specOf(oneService('env: { A: "x ${FOO} y" }'))).env["A"], "x ${FOO} y");
  });
  test("in commands it is the shell's", async () => {
    const command = "echo ${FOO} ${PORT:-3000} ${X:?no} ${env:STAGE}";
    assert.deepEqual(await problemsOf(oneService(`command: ${command}`), { env }), []);
    assert.deepEqual((await specOf(oneService(`command: ${command}`), { env })).command, {
      shell: "echo ${FOO} ${PORT:-3000} ${X:?no} prod",
    });
  });
});

describe("secrets", () => {
  const text =
    oneService(
      "env: { URL: 'db://u:${secret:TOKEN}@h', VIA: '${self:custom.token}' }",
      "secrets: [OTHER, { RENAMED: TOKEN }]",
    ) + "custom: { token: '${secret:TOKEN}' }\n";

  test("are marked wherever they go, and known to the redactor", async () => {
    const redactor = createRedactor();
    const spec = await specOf(text, { env: { TOKEN: "hunter2-hunter2", OTHER: "another" }, redactor });
    assert.deepEqual(spec.env, {
      URL: "db://u:hunter2-hunter2@h",
      VIA: "hunter2-hunter2",
      OTHER: "another",
      RENAMED: "hunter2-hunter2",
    });
    assert.deepEqual(spec.secretEnv, ["OTHER", "RENAMED", "URL", "VIA"]);
    assert.equal(redactor.redact("a hunter2-hunter2 b another"), "a •••••• b ••••••");
  });

  test("that are not set are all listed at once", async () => {
    const problems = await problemsOf(
      oneService("env: { A: '${secret:ONE}', B: '${secret:TWO}' }", "secrets: [THREE, ONE]"),
    );
    assert.deepEqual(problems, [
      "pctl.yaml:6:16: 3 secrets are not set: ONE, TWO, THREE → Set them in the environment, in .env, or in a file given by --env-file.",
    ]);
  });

  test("take a fallback", async () =>
    assert.equal((await specOf(oneService("env: { A: '${secret:ONE, none}' }"))).env["A"], "none"));

  for (const [field, what] of [
    ["command: run ${secret:TOKEN}", "a command"],
    ["health: { command: ['x', '${secret:TOKEN}'] }", "a probe"],
    ["image: 'nginx:${secret:TOKEN}'", "an image"],
    ["build: { context: ., args: { A: '${secret:TOKEN}' } }", "build arguments"],
  ] as const) {
    test(`cannot stand in ${what}`, async () => {
      const problems = await problemsOf(oneService(field), { env });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", /a secret cannot stand here/);
      assert.doesNotMatch(problems.join(), /hunter2/);
    });
  }

  test("are looked up in the environment, --env-file, .env.{environment}, .env", async () => {
    const files = {
      "pctl.yaml": `environments: { dev: {} }\n${oneService("secrets: [A, B, C, D]")}`,
      "named.env": "A=named\nB=named\n",
      ".env.dev": "A=dev\nB=dev\nC='dev quoted'\n",
      ".env": 'A=usual\nB=usual\nC=usual\nD="usual\nlines"\n',
    };
    const { stack } = await loadFiles(files, {
      env: { A: "environment" },
      envFiles: ["named.env"],
      environment: "dev",
    });
    assert.deepEqual(stack?.services["web"]?.spec.env, {
      A: "environment",
      B: "named",
      C: "dev quoted",
      D: "usual\nlines",
    });
  });

  test("a file that was named and is not there", async () => {
    const problems = told(await loadFiles({ "pctl.yaml": oneService() }, { envFiles: ["missing.env"] }));
    assert.deepEqual(problems, ["pctl.yaml: the file missing.env does not exist → Correct --env-file."]);
  });

  test("commands that only operate need none", async () => {
    const spec = await specOf(text.replace("name: shop", "name: shop-${env:STAGE}"), { env, purpose: "operate" });
    assert.deepEqual(spec.env, {
      URL: "db://u:${secret:TOKEN}@h",
      VIA: "${self:custom.token}",
      OTHER: "${secret:OTHER}",
      RENAMED: "${secret:TOKEN}",
    });
  });
});

describe("file", () => {
  test("reads a file without its last line end", async () => {
    const { stack } = await loadFiles({
      "pctl.yaml": oneService("env: { A: '${file:a.txt}', B: '${file:sub/b.txt, none}', C: '${file:no.txt, none}' }"),
      "a.txt": "one\ntwo\n\n",
      "sub/b.txt": "b\r\n",
    });
    assert.deepEqual(stack?.services["web"]?.spec.env, { A: "one\ntwo\n", B: "b", C: "none" });
  });
  test("a failure is no absence: the fallback does not stand for it", async () => {
    const problems = told(
      await loadFiles({ "pctl.yaml": oneService("env: { A: '${file:folder, none}' }"), "folder/x": "" }),
    );
    assert.deepEqual(problems, [
      'pctl.yaml:6:16: the resolver file failed for "folder": it is a folder → The fallback stands for what is absent, not for what failed.',
    ]);
  });
});

describe("resolvers of the user's own", () => {
  const use = (path: string): string =>
    `resolver: [${path}]\n${oneService("env: { A: '${op:key, fall}', B: '${op:none, fall}' }")}`;
  const modules: readonly (readonly [string, string, string])[] = [
    [
      "a class of 1.1, CommonJS",
      "op.js",
      "module.exports = class extends Function { constructor(parsed) { super(); return function op(key, fallback) { return key === 'none' ? fallback : `${parsed.name}:${key}`; }; } };",
    ],
    [
      "a class of 1.1, CommonJS by .cjs",
      "op.cjs",
      "module.exports = class extends Function { constructor(parsed) { super(); return function op(key, fallback) { return key === 'none' ? fallback : `${parsed.name}:${key}`; }; } };",
    ],
    [
      "a class, transpiled",
      "op.js",
      "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = class extends Function { constructor(parsed) { super(); return async function op(key) { return key === 'none' ? undefined : `${parsed.name}:${key}`; }; } };",
    ],
    [
      "a class, ES module",
      "op.mjs",
      "export default class extends Function { constructor(parsed) { super(); return async function op(key, fallback) { return key === 'none' ? fallback : `${parsed.name}:${key}`; }; } }",
    ],
    [
      "an object, TypeScript",
      "op.ts",
      "export default { name: 'op', resolve: (key: string): string | undefined => (key === 'none' ? undefined : `shop:${key}`) };",
    ],
  ];
  for (const [what, file, source] of modules) {
    test(what, async () => {
      const result = await loadFiles({ "pctl.yaml": use(`./${file}`), [file]: source });
      assert.deepEqual(told(result), []);
      assert.deepEqual(result.stack?.services["web"]?.spec.env, { A: "shop:key", B: "fall" });
    });
  }

  test("a package beside the configuration", async () => {
    const result = await loadFiles({
      "pctl.yaml": use("my-op"),
      "node_modules/my-op/package.json": '{"name":"my-op","main":"m.js"}',
      "node_modules/my-op/m.js": "module.exports = { name: 'op', resolve: () => 'p' };",
    });
    assert.equal(result.stack?.services["web"]?.spec.env["A"], "p");
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    [
      "what throws",
      "module.exports = { name: 'op', resolve() { throw new Error('no access'); } };",
      /^pctl\.yaml:7:16: the resolver op failed for "key": no access → The fallback stands for what is absent/,
    ],
    ["no resolver", "module.exports = 42;", /^pctl\.yaml:1:12: \.\/op\.js exports no resolver/],
    ["a class that makes none", "module.exports = class {};", /makes no function/],
    [
      "a name that is taken",
      "module.exports = { name: 'env', resolve() {} };",
      /^pctl\.yaml:1:12: the resolver name env is taken already/,
    ],
    [
      "what does not load",
      "throw new Error('broken at load');",
      /the resolver \.\/op\.js cannot be loaded: broken at load/,
    ],
  ];
  for (const [what, source, expected] of broken) {
    test(what, async () =>
      assert.match(told(await loadFiles({ "pctl.yaml": use("./op.js"), "op.js": source }))[0] ?? "", expected),
    );
  }

  test("a module that is not there", async () =>
    assert.match(
      told(await loadFiles({ "pctl.yaml": use("./missing.js") }))[0] ?? "",
      /cannot be loaded: Cannot find module.*→ Paths are relative to the configuration file/,
    ));

  test("a caller's: asked once for a key, and secret if it says so", async () => {
    const asked: string[] = [];
    const op = defineResolver({
      name: "op",
      secret: true,
      resolve: (key, { environment }) => (asked.push(key), Promise.resolve(`secret of ${key} ${environment ?? ""}`)),
    });
    const stack = await stackOf(`environments: { dev: {} }\n${oneService("env: { A: '${op:x}', B: 'b ${op:x}' }")}`, {
      resolvers: [op],
      environment: "dev",
    });
    const spec = stack.services["web"]?.spec;
    assert.deepEqual([asked, spec?.env["A"], spec?.secretEnv], [["x"], "secret of x dev", ["A", "B"]]);
  });
});

describe("plugins", () => {
  const load = (source: string, fields: readonly string[] = ["env: { A: '${env:STAGE}' }"]) =>
    loadFiles(
      { "pctl.yaml": `plugin: [./plugins/tag.js]\n${oneService(...fields)}`, "plugins/tag.js": source },
      { env },
    );

  test("change the resolved declaration in place; numbers in env become text", async () => {
    const { stack } = await load(
      "module.exports = async (parsed) => { await null; parsed.services.web.env.B = `${parsed.services.web.env.A}!`; parsed.services.web.env.N = 3; parsed.services.more = { image: 'redis' }; };",
    );
    assert.deepEqual(stack?.services["web"]?.spec.env, { A: "prod", B: "prod!", N: "3" });
    assert.deepEqual(stack?.services["more"]?.spec.image, { kind: "reference", reference: "redis" });
  });
  test("a failure names the plugin", async () => {
    assert.deepEqual(told(await load("module.exports = async () => { throw new Error('no tag'); };")), [
      "pctl.yaml:1:10: the plugin ./plugins/tag.js failed: no tag",
    ]);
  });
  test("what a plugin leaves is validated again, and the plugin named", async () => {
    const { diagnostics, stack } = await load(
      "module.exports = (parsed) => { parsed.services.web.scale = { replica: -1 }; };",
    );
    assert.equal(stack, undefined);
    assert.deepEqual(
      diagnostics.map((each) => [each.field, each.detail]),
      [["services.web.scale.replica", "The plugin ./plugins/tag.js left it so."]],
    );
  });
  test("what a plugin adds is not resolved", async () => {
    const { stack } = await load("module.exports = (parsed) => { parsed.services.web.env.B = '${env:STAGE}'; };");
    assert.equal(stack?.services["web"]?.spec.env["B"], "${env:STAGE}");
  });
  test("CommonJS in a folder of ES modules", async () => {
    const result = await loadFiles({
      "package.json": '{"type":"module"}',
      "pctl.yaml": `plugin: [./p.js]\n${oneService()}`,
      "p.js": "module.exports = () => {};",
    });
    assert.match(told(result)[0] ?? "", /the plugin \.\/p\.js cannot be loaded.*call the file \.cjs/);
  });
});
