import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { tryCompose } from "./fixture.test.support.ts";

/** Text as a file of compose can hold it, as it reaches a process. */
const value = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.stringMatching(/^[ ${}:#'"\\\n,a-c-]{0,20}$/),
  fc.constantFrom(
    "true",
    "1.10",
    "null",
    "~",
    "0x1F",
    "- a",
    "a: b",
    "${X}",
    "$${X}",
    "$",
    "${env:HOME, x}",
    "line\nline\n",
    " padded ",
  ),
);
const words = fc.array(value, { minLength: 1, maxLength: 4 });
const duration = fc.constantFrom("1s", "90s", "1m30s", "500ms", "2h");
const port = fc.integer({ min: 1, max: 65_535 });
const probability = { nil: undefined };

/** Escaped as in a compose file. */
const escape = (text: string): string => text.replaceAll("$", () => "$$");

const service = fc.record({
  image: fc.constantFrom("busybox", "nginx:1.27", "ghcr.io/acme/app@sha256:" + "a".repeat(64), "${TAG:-busybox}"),
  environment: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/), value, { maxKeys: 5 }),
  command: fc.option(words, probability),
  entrypoint: fc.option(words, probability),
  healthcheck: fc.option(
    fc.record({
      test: words.map((list) => ["CMD", ...list.map(escape)]),
      interval: duration,
      timeout: duration,
      retries: fc.integer({ min: 1, max: 9 }),
    }),
    probability,
  ),
  expose: fc.uniqueArray(port, { maxLength: 2 }),
  volumes: fc.constantFrom(
    [],
    ["data:/data"],
    ["/anonymous", "data:/var/lib/x:ro"],
    [{ type: "volume", source: "data", target: "/x" }],
  ),
  mem_limit: fc.option(fc.constantFrom("6m", "512M", "1.5gb", 268_435_456), probability),
  cpus: fc.option(fc.constantFrom(0.5, 2, "1.25"), probability),
  restart: fc.constantFrom("always", "no", "on-failure:3", undefined),
  stop_grace_period: fc.option(duration, probability),
  privileged: fc.boolean(),
  labels: fc.constantFrom(undefined, { a: "b" }, ["a=b"]),
});

const file = fc.array(service, { minLength: 1, maxLength: 4 });

test("what is written is a declaration, and every value in it is what compose would have made of it", async () => {
  await fc.assert(
    fc.asyncProperty(file, async (services) => {
      const declared = services.map((each, index) => [
        `s${index}`,
        {
          ...each,
          environment: Object.fromEntries(Object.entries(each.environment).map(([name, text]) => [name, escape(text)])),
          command: each.command?.map(escape),
          entrypoint: each.entrypoint?.map(escape),
          ports: [`${8000 + index}:80`],
          depends_on: index === 0 ? [] : [`s${index - 1}`],
        },
      ]);
      // JSON is YAML.
      const { stack, text } = await tryCompose(
        JSON.stringify({ services: Object.fromEntries(declared), volumes: { data: {} } }),
      );
      for (const [index, { environment, command, entrypoint }] of services.entries()) {
        const spec = stack?.services[`s${index}`]?.spec;
        assert.ok(spec !== undefined, text);
        assert.deepEqual({ ...spec.env }, { ...environment }, text);
        assert.deepEqual(spec.command, command === undefined ? undefined : { args: command }, text);
        assert.deepEqual(spec.entrypoint, entrypoint, text);
      }
    }),
    { numRuns: 60 },
  );
});

const name = fc.constantFrom("PLAIN", "API_TOKEN", "DB_URL", "WORD", "NUMBER");
const literal = fc.stringMatching(/^[ a-c:,{}$"'\\-]{0,8}$/).map(escape);
const word = fc.stringMatching(/^[a-c ,:-]{0,6}$/);
const variable = fc.oneof(
  name.map((each) => `\${${each}}`),
  fc.tuple(name, fc.constantFrom(":-", "-"), word).map(([each, operator, rest]) => `\${${each}${operator}${rest}}`),
);
const template = fc.array(fc.oneof(literal, variable), { maxLength: 5 }).map((parts) => parts.join(""));
const known = { PLAIN: "plain", API_TOKEN: "t0k=n!", DB_URL: "x://y z", WORD: "word", NUMBER: "12" };
const dotEnv = { API_TOKEN: known.API_TOKEN, WORD: known.WORD, DB_URL: known.DB_URL };

test("variables mean the same, wherever their values come from, and no secret of .env stands in the file", async () => {
  await fc.assert(
    fc.asyncProperty(template, async (text) => {
      const files = {
        ".env": Object.entries(dotEnv)
          .map(([key, each]) => `${key}='${each}'\n`)
          .join(""),
      };
      const env = { PLAIN: known.PLAIN, NUMBER: known.NUMBER };
      const compose = JSON.stringify({ services: { web: { image: "busybox", environment: { TEXT: text } } } });
      const tried = await tryCompose(compose, files, env);
      // All of them are set, so that no default counts.
      const expected = text.replaceAll(
        /\$\$|\$\{([A-Z_]+)(?::?-[^}]*)?\}/g,
        (_, each: keyof typeof known | undefined) => (each === undefined ? "$" : known[each]),
      );
      assert.equal(tried.stack?.services["web"]?.spec.env["TEXT"], expected, tried.text);
      assert.ok(!tried.text.includes(known.API_TOKEN) && !tried.text.includes(known.DB_URL), tried.text);
    }),
    { numRuns: 80 },
  );
});
