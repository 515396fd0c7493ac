import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inFolder, loadFiles, oneService, optionsFor, problemsOf, specOf, told } from "./fixture.test.support.ts";
import { loadStack } from "./load.ts";

describe("a file that cannot be read as a declaration is told once, with its place and what to do", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["empty", "", /^pctl\.yaml:1:1: the file is empty → Begin with/],
    ["comments only", "# nothing\n", /^pctl\.yaml:1:1: the file is empty/],
    [
      "a tab",
      "name: shop\nservices:\n\tweb:\n\t\timage: x\n",
      /^pctl\.yaml:3:1: a tab indents this line.*→ Replace each tab/,
    ],
    [
      "a key twice",
      "name: shop\nservices: {}\nname: shop2\n",
      /^pctl\.yaml:3:1: the key "name" stands here a second time/,
    ],
    ["not YAML", "name: shop\nservices: [web\n", /^pctl\.yaml:\d+:\d+: this is not valid YAML/],
    ["a brace too many", "{ name: shop }}\n", /this is not valid YAML/],
    ["text", "just words\n", /^pctl\.yaml:1:1: the file holds no map/],
    ["a list", "- a\n- b\n", /^pctl\.yaml:1:1: the file holds no map/],
    ["an unknown anchor", "name: *nothing\n", /^pctl\.yaml:1:7: there is no anchor &nothing/],
    ["an unknown tag", "name: !thing shop\n", /^pctl\.yaml:1:7: unresolved tag/],
    ["a second document", "name: a\n---\nname: b\n", /^pctl\.yaml:\d:1: a second YAML document/],
    ["a map as key", "? { a: b }\n: c\n", /a key must be a word/],
    ["__proto__", "__proto__: { a: b }\n", /`__proto__` cannot be a key/],
    ["an anchor in itself", "name: shop\ncustom: &a { b: *a }\n", /this alias stands inside the anchor/],
  ];
  for (const [what, text, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(text);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }

  test("anchors that multiply themselves end", async () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `  l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(", ")}]`,
    );
    const [problem] = await problemsOf(["name: shop", "custom:", "  l0: &l0 [x]", ...levels, ""].join("\n"));
    assert.match(problem ?? "", /more than 500000 entries/);
  });

  test("bytes that are no text", async () => {
    assert.match(
      told(await loadFiles({ "pctl.yaml": Uint8Array.of(0xff, 0xfe, 0x00, 0x80) })).join(),
      /^pctl\.yaml: the file is not UTF-8 text/,
    );
  });

  test("no such file", async () => {
    assert.match(told(await loadFiles({})).join(), /^pctl\.yaml: there is no pctl\.yaml here → `pctl init`/);
  });

  test("a folder", async () => {
    await inFolder({}, async (folder) => {
      mkdirSync(join(folder, "pctl.yaml"));
      assert.match(told(await loadStack("pctl.yaml", optionsFor({ cwd: folder }))).join(), /this is a folder/);
    });
  });

  test("what the system refuses to open", async () => {
    const name = `${"n".repeat(300)}.yaml`;
    assert.match(told(await loadStack(name, optionsFor())).join(), /the file cannot be read: ENAMETOOLONG/);
  });
});

test("all problems are told at once, in the order of the file", async () => {
  const text = oneService(
    "enviroment: { A: b }",
    "ports: [99999, 3000-3005:1]",
    "scale: { replica: two, memory: 1gb }",
    "health: { test: x }",
  );
  const places = (await problemsOf(text)).map((each) => each.split(": ")[0]);
  assert.deepEqual(places, [
    "pctl.yaml:6:5",
    "pctl.yaml:7:13",
    "pctl.yaml:7:20",
    "pctl.yaml:8:23",
    "pctl.yaml:8:36",
    "pctl.yaml:9:5",
    "pctl.yaml:9:15",
  ]);
});

test("a key that stands twice hides no other problem, and the first of the two counts", async () => {
  const text = oneService(
    "ports: [99999]",
    "ports: [8080]",
    "env: { A: 1, B: '${self:services.web.scale.replica}', A: 2 }",
    "scale: { replica: two }",
    "wrokdir: /app",
  );
  assert.deepEqual(
    (await problemsOf(text)).map((each) => each.split(" → ")[0]),
    [
      "pctl.yaml:6:13: the port 99999 is not between 1 and 65535",
      'pctl.yaml:7:5: the key "ports" stands here a second time, after line 6',
      'pctl.yaml:8:59: the key "A" stands here a second time, after line 8',
      "pctl.yaml:9:23: replica must be a number of replicas or a range [min, max], not text",
      "pctl.yaml:10:5: unknown key `wrokdir`",
    ],
  );
});

test("what would run code of the user's is not run while a key stands twice", async () => {
  const whole = `plugin: [./plugin.mjs]\n${oneService()}`;
  const files = (text: string) => ({ "pctl.yaml": text, "plugin.mjs": "throw new Error('it ran')" });
  assert.match(told(await loadFiles(files(whole))).join(), /it ran/);
  const twice = told(await loadFiles(files(`${whole}name: shop\n`))).join();
  assert.match(twice, /the key "name" stands here a second time/);
  assert.doesNotMatch(twice, /it ran/);
});

describe("YAML's conveniences", () => {
  test("anchors and merges: what the map has itself wins, then the first source", async () => {
    const text = `name: shop
provider: local
x-a: &a { A: "1", B: "1" }
x-b: &b { B: "2", C: "2" }
services:
  web:
    image: nginx
    env:
      <<: [*a, *b]
      A: own
`;
    assert.deepEqual((await specOf(text)).env, { A: "own", B: "1", C: "2" });
  });

  test("a whole service by merge", async () => {
    const text = `name: shop\nprovider: local\nx-base: &base { image: nginx, scale: { replica: 2 } }\nservices:\n  web: { <<: *base, command: run }\n`;
    const spec = await specOf(text);
    assert.deepEqual([spec.scale.replicas, spec.command], [2, { shell: "run" }]);
  });

  test("x- keys are the user's own at the top and in services", async () => {
    assert.deepEqual(await problemsOf(`x-a: 1\n${oneService("x-b: { c: d }")}`), []);
  });
});

describe("numbers and booleans in env keep their source text", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["3000", "3000"],
    ["1.10", "1.10"],
    ["0x10", "0x10"],
    ["08", "08"],
    ["1e3", "1e3"],
    ["false", "false"],
    ["True", "True"],
    ["12345678901234567890", "12345678901234567890"],
    ['""', ""],
    ["yes", "yes"],
    ["2026-01-31", "2026-01-31"],
    ['"line\\nline"', "line\nline"],
  ];
  for (const [source, value] of cases) {
    test(source, async () => assert.equal((await specOf(oneService(`env: { A: ${source} }`))).env["A"], value));
  }

  test("also by an alias and in an environment", async () => {
    const text = `x-e: &e { A: 1.10 }\n${oneService("env: *e")}environments: { dev: { services: { web: { env: { B: 2.0 } } } } }\n`;
    assert.deepEqual((await specOf(text, { environment: "dev" })).env, { A: "1.10", B: "2.0" });
  });

  test("null is an error", async () => {
    assert.deepEqual(await problemsOf(oneService("env:", "  A:")), [
      'pctl.yaml:7:7: A has no value → Write "" for empty text, or remove the line.',
    ]);
  });
});
