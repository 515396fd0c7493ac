import assert from "node:assert/strict";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { serves } from "../spec.ts";

/** What a program sees of an environment. */
async function seenOf(bench: Bench, env: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const web = await bench.service();
  await web.up(serves("one"), { env });
  const answer = await web.ask();
  assert.ok(answer !== undefined, "nobody answers");
  return Object.fromEntries(
    Object.keys(env).flatMap((key) => (key in answer.env ? [[key, answer.env[key] ?? ""]] : [])),
  );
}

const arrives = (env: Readonly<Record<string, string>>) => async (bench: Bench) =>
  assert.deepEqual(await seenOf(bench, env), env);

export const environment = group("environment", ["deploy"], {
  "plain-values-arrive": ["Values arrive as they are.", arrives({ A: "1", LONG_NAME_2: "two words" })],
  "an-empty-value-is-empty": ["An empty value is there, and empty.", arrives({ EMPTY: "" })],
  "spaces-are-kept": ["Spaces and tabs at both ends are kept.", arrives({ A: "  a  ", B: "\tb\t" })],
  "lines-are-kept": [
    "Line ends within a value are kept.",
    arrives({ KEY: "-----BEGIN\nabc\n-----END\n", CR: "a\r\nb" }),
  ],
  "quotes-are-kept": [
    "Quotes and backslashes are kept, unescaped.",
    arrives({ A: `'single' "double"`, B: "back\\slash\\n", C: "`tick`", D: "'" }),
  ],
  "nothing-is-expanded": [
    "Dollars, braces, tildes and stars are expanded by nobody.",
    arrives({ A: "$HOME ${HOME} $(id)", B: "~/*", C: "%PATH%", D: "$$", E: "!x #y" }),
  ],
  "equals-signs-are-kept": ["Equals signs in a value are kept.", arrives({ A: "a=b=c", B: "=" })],
  "letters-of-all-scripts-are-kept": ["Letters of all scripts are kept.", arrives({ A: "ünï 日本語 🚀 ‏עברית" })],
  "numbers-stay-texts": [
    "Texts that look like numbers stay as they are.",
    arrives({ A: "1.10", B: "007", C: "1e3", D: "true" }),
  ],
  "long-values-are-whole": ["A value of 32 KiB arrives whole.", arrives({ LONG: "0123456789abcdef".repeat(2_048) })],
  "many-values-arrive": [
    "Five hundred values arrive.",
    arrives(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`V${index}`, `value ${index}`]))),
  ],
  "ours-is-not-the-programs": [
    "The environment of the one who deploys does not reach the program.",
    async (bench) => {
      const name = `CONFORMANCE_${bench.stack.toUpperCase()}`;
      process.env[name] = "of the one who deploys";
      try {
        const web = await bench.service();
        await web.up(serves("one"));
        assert.equal((await web.ask())?.env[name], undefined);
      } finally {
        Reflect.deleteProperty(process.env, name);
      }
    },
  ],
  "a-change-reaches-the-program": [
    "A release with another environment replaces the replicas, and they see it; what left is gone.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { env: { KEPT: "1", CHANGED: "old", LEFT: "x" } });
      await web.up(serves("one"), { env: { KEPT: "1", CHANGED: "new" } });
      const env = (await web.ask())?.env ?? {};
      assert.deepEqual([env["KEPT"], env["CHANGED"], env["LEFT"]], ["1", "new", undefined]);
    },
  ],
  "every-replica-has-it": [
    "Every replica has the environment.",
    async (bench) => {
      const web = await bench.service();
      await web.up(serves("one"), { env: { A: "1" }, scale: { replicas: 2 } });
      for (let index = 0; index < 6; index += 1) assert.equal((await web.ask())?.env["A"], "1");
    },
  ],
});
