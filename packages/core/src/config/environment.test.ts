import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse, problemsOf, specOf, stackOf } from "./fixture.test.support.ts";

const file = `name: shop
provider: local
environments:
  production: { name: shop, services: { web: { scale: { replica: 3 } } } }
  staging:
    services: { web: { env: { B: null, C: c }, ports: [81] }, cron: null, extra: { image: redis, command: null } }
  empty:
services:
  web: { image: nginx, env: { A: "\${self:name}", B: b }, ports: [80, 8080] }
  cron: { image: nginx }
`;

test("maps are merged, lists replace, null removes; the stack is {name}-{env}", async () => {
  const stack = await stackOf(file, { environment: "staging" });
  assert.deepEqual(
    [stack.name, stack.environment, Object.keys(stack.services)],
    ["shop-staging", "staging", ["web", "extra"]],
  );
  const web = stack.services["web"]?.spec;
  assert.deepEqual([web?.env, web?.ports.map((each) => each.containerPort)], [{ A: "shop-staging", C: "c" }, [81]]);
});

test("an environment may name the stack, and may change nothing", async () => {
  assert.equal((await stackOf(file, { environment: "production" })).name, "shop");
  assert.equal((await specOf(file, { environment: "production" })).scale.replicas, 3);
  assert.equal((await stackOf(file, { environment: "empty" })).name, "shop-empty");
});

test("--name comes before anything else and stays", async () => {
  const stack = await stackOf(file, { environment: "production", name: "shop-pr-12" });
  assert.deepEqual([stack.name, stack.services["web"]?.spec.env["A"]], ["shop-pr-12", "shop-pr-12"]);
});

test("problems in an environment stand where it says so", async () => {
  const text = file.replace("ports: [81]", "ports: [81, 99999]");
  assert.deepEqual(
    (await problemsOf(text, { environment: "staging" })).map((each) => each.split(": ")[0]),
    ["pctl.yaml:6:60"],
  );
});

describe("what is refused", () => {
  const cases: readonly (readonly [string, string, string | undefined, RegExp])[] = [
    [
      "no choice",
      file,
      undefined,
      /^pctl\.yaml:3:1: the file declares environments, and none was chosen → Choose one with --env or PCTL_ENV: production, staging or empty\./,
    ],
    [
      "an unknown one",
      file,
      "stagin",
      /^pctl\.yaml:3:1: there is no environment stagin → Did you mean staging\? Known are production, staging or empty\./,
    ],
    [
      "environments in one",
      "name: a\nenvironments: { x: { environments: {} } }\nservices: {}\n",
      "x",
      /^pctl\.yaml:2:22: an environment cannot hold `environments`/,
    ],
    [
      "text as an environment",
      "name: a\nenvironments: { x: y }\nservices: {}\n",
      "x",
      /the environment x must be a map/,
    ],
    ["a list of environments", "name: a\nenvironments: [x]\nservices: {}\n", "x", /environments must be a map/],
    [
      "an unknown key in one",
      "name: a\nenvironments: { x: { servces: {} } }\nservices: {}\n",
      "x",
      /unknown key `servces` → Did you mean `services`\?/,
    ],
  ];
  for (const [what, text, environment, expected] of cases) {
    test(what, async () => {
      const problems = await problemsOf(text, environment === undefined ? {} : { environment });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }
});

test("an environment that the file does not know anything about is a warning", async () => {
  const { stack, diagnostics } = await parse("name: a\nservices: {}\n", { environment: "dev" });
  assert.deepEqual(
    [stack?.name, stack?.environment, diagnostics.map((each) => [each.severity, each.code])],
    ["a", undefined, [["warning", "environment-unused"]]],
  );
});
