import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { revisionOf, specHash } from "../model/hash.ts";
import { inFolder, oneService, problemsOf, specOf, stackOf } from "./fixture.test.support.ts";

describe("the stack", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["no name", "provider: local\nservices: {}\n", /name is missing → Add name: shop/],
    ["no services", "name: shop\n", /services is missing/],
    ["services without value", "name: shop\nservices:\n", /^pctl\.yaml:2:1: services has no value/],
    [
      "a name of 300 characters",
      `name: ${"a".repeat(300)}\nservices: {}\n`,
      /^pctl\.yaml:1:7: the name of this stack has 300 characters, more than 63 → Choose a shorter name/,
    ],
    [
      "a service's name of 300 characters",
      `name: shop\nprovider: local\nservices:\n  ${"a".repeat(300)}: { image: nginx }\n`,
      /^pctl\.yaml:4:3: the name of this service has 300 characters/,
    ],
    ["a name with a slash", "name: a/b\nservices: {}\n", /"a\/b" cannot be the name of a stack/],
    [
      "compose's version",
      'name: a\nversion: "3"\nservices: {}\n',
      /^pctl\.yaml:2:1: unknown key `version` → Remove it/,
    ],
    [
      "no provider at all",
      "name: a\nservices: { web: { image: nginx } }\n",
      /web names no provider, and the file has no default/,
    ],
    [
      "an unknown type",
      "name: a\nproviders: { x: { type: dockr } }\nservices: {}\n",
      /there is no provider type dockr → Did you mean docker\?/,
    ],
    ["an unknown default", "name: a\nprovider: vps\nservices: {}\n", /^pctl\.yaml:2:11: there is no provider vps/],
    [
      "an unknown default, told once for all services",
      "name: a\nprovider: vps\nservices:\n  x: { image: nginx }\n  y: { image: nginx }\n",
      /^pctl\.yaml:2:11: there is no provider vps[^\n]*$/,
    ],
  ];
  for (const [what, text, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(text);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }

  test("names that pctl 1.1 ran are kept", async () => {
    const stack = await stackOf(
      "name: My_app.v1\nprovider: local\nservices: { Web_api.v2: { image: nginx }, constructor: { image: nginx } }\n",
    );
    assert.deepEqual(Object.keys(stack.services), ["Web_api.v2", "constructor"]);
    assert.deepEqual(stack.locate('services["Web_api.v2"].image')?.range?.start, { line: 3, column: 34 });
  });

  test("no services: all is to be removed", async () =>
    assert.deepEqual((await stackOf("name: a\nservices: {}\n")).services, {}));

  test("providers: declared, a type's own name, an alias, and the seed's { name, options }", async () => {
    const stack = await stackOf(`name: a
providers: { vps1: { type: docker, options: { host: 203.0.113.7 }, accept: [tls] } }
provider: vps1
keep: 3
services:
  a: { image: nginx }
  b: { image: nginx, provider: local }
  c: { image: nginx, provider: { name: docker, options: { host: h1 } } }
  d: { image: nginx, provider: { name: docker, options: { host: h1 } } }
  e: { image: nginx, provider: { name: docker, options: { host: h2 } } }
  f: { image: nginx, provider: aws }
  g: { image: nginx, provider: [vps1, local] }
`);
    assert.deepEqual(
      Object.entries(stack.services).map(([name, { providers }]) => `${name} ${providers.join(" ")}`),
      ["a vps1", "b local", "c docker@h1", "d docker@h1", "e docker@h2", "f aws", "g vps1 local"],
    );
    assert.deepEqual(stack.providers["docker@h2"], {
      name: "docker@h2",
      type: "docker",
      options: { host: "h2" },
      accept: [],
    });
    assert.equal(stack.providers["aws"]?.type, "eks");
    assert.equal(stack.defaultProvider, "vps1");
    assert.deepEqual([stack.services["a"]?.spec.accept, stack.services["a"]?.spec.keep], [["tls"], 3]);
  });

  test("a program among the mounted files is known as one, and counts", async () => {
    const specs = await inFolder({ "check.sh": "exit 0\n" }, async (folder) => {
      const text = oneService("files: { /check.sh: ./check.sh }");
      const plain = await specOf(text, { cwd: folder });
      chmodSync(join(folder, "check.sh"), 0o755);
      return [plain, await specOf(text, { cwd: folder })] as const;
    });
    assert.deepEqual(
      specs.map(({ files }) => files[0]?.executable),
      [undefined, true],
    );
    const image = { digest: "sha256:1", declared: "nginx:1.27" };
    assert.notEqual(specHash(specs[0], image), specHash(specs[1], image));
    assert.notEqual(revisionOf(specs[0], image).replicaHash, revisionOf(specs[1], image).replicaHash);
  });

  test("locate finds a field, or its nearest parent", async () => {
    const stack = await stackOf(oneService("ports:", "  - 8080:3000"));
    const at = (field: string) => stack.locate(field)?.range?.start;
    assert.deepEqual(at("services.web.ports[0]"), { line: 7, column: 9 });
    assert.deepEqual(at("services.web.ports[0].protocol"), { line: 7, column: 9 });
    assert.deepEqual(at("services.web.tls"), { line: 4, column: 3 });
    assert.deepEqual(at("nothing"), undefined);
  });
});
