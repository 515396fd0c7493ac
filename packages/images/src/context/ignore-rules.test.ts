import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { readIgnoreRules } from "./ignore-rules.ts";

/** Lines of the file, what stays out, what stays in. What Docker does was looked up in the tests of moby's `patternmatcher`. */
const cases: readonly (readonly [lines: string, out: string, stays: string])[] = [
  // One star, one character, classes.
  ["*", "abc ab/c .env", ""],
  ["*c", "abc", "abd"],
  ["a*", "a abc ab/c", "ba"],
  ["a*/b", "abc/b abc/b/c", "a/c/b"],
  ["a/*.txt", "a/file.txt", "a/dir/file.txt"],
  ["abc?def", "abcZdef abc☺def", "abcdef abc/def"],
  ["abc.def", "abc.def", "abcdef abcZdef"],
  ["a[b-d]e", "ace", "ae aae"],
  ["a[^b-d]e", "aze a☺e", "ace"],
  ["[a-ζ]x", "αx", "Ax"],
  ["[\\]a]", "] a", "\\"],
  ["[x\\-]", "x -", "z"],
  ["a\\*b", "a*b", "axb ab"],
  ["a\\\\", "a\\", "a"],
  ["*.go\n.*", "x.go .foo", "foo a/x.go a/.foo"],
  ["a(b)c.|)$(}+{bc", "a(b)c.|)$(}+{bc", "abc"],
  // Two stars.
  ["**", "file dir/file", ""],
  ["**/", "file dir/file", ""],
  ["**/**", "file dir/file", ""],
  ["dir/**", "dir/file dir/dir2/file", "dir dirt"],
  ["abc/**", "abc/def abc/def/ghi", "abc"],
  ["**/dir", "dir dir/file a/dir a/b/dir/x", "adir dir2"],
  ["**/dir2/*", "dir/dir2/file dir2/file", "dir/dir2"],
  ["**/dir2/**", "dir/dir2/dir3/file", "dir/dir2"],
  ["**file", "file dir/file dir/afile", "file2"],
  ["**/file", "file dir/file", "dir/afile"],
  ["**/file*.txt", "file.txt dir/dir/file1.txt", "dir/file"],
  ["**/**/*.txt", "file.txt dir/dir/file.txt", "file.txt2"],
  ["a**/*.txt", "a/file.txt a/dir/dir/file.txt", "b/file.txt"],
  ["a/**/b", "a/b a/x/b a/x/y/b", "a/xb ab"],
  ["a/*.txt**", "a/file.txt a/file.txt2/x", "a/file"],
  ["**/.foo", ".foo a/.foo", "bar.foo"],
  ["**/foo/bar", "foo/bar a/b/foo/bar", "foo"],
  // What stands around a pattern does not count.
  ["/docs", "docs docs/a", "a/docs"],
  ["docs/", "docs docs/a", "a/docs"],
  ["  docs\t\r", "docs", ""],
  ["./a/../docs//x", "docs/x", "docs"],
  ["\u{feff}docs", "docs", ""],
  ["# docs\n#docs", "", "docs # #docs"],
  [" #docs", "#docs", "docs"],
  ["../docs", "", "docs"],
  ["", "", "docs"],
  ["/\n.", "", "docs"],
  // Order and `!`.
  ["*.go\n!fileutils.go", "x.go", "fileutils.go"],
  ["!fileutils.go\n*.go", "fileutils.go", ""],
  ["docs\n!docs/README.md", "docs docs/a", "docs/README.md"],
  ["docs/*\n!docs/README.md", "docs/a", "docs docs/README.md"],
  ["docs\n! /docs/README.md ", "docs/a", "docs/README.md"],
  ["**\n!util/docker/web", "util util/docker util/x", "util/docker/web util/docker/web/foo"],
  ["**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", "util/docker/web/a"],
  ["**\n!dist/*.whl", "dist dist/a", "dist/a-1+g0.whl"],
  ["node_modules\n!**/keep", "node_modules/a", "node_modules/x/keep"],
];

describe("what stays out of a build context", () => {
  for (const [lines, out, stays] of cases) {
    test(JSON.stringify(lines), () => {
      const rules = readIgnoreRules(lines, ".dockerignore");
      const words = (text: string) => text.split(" ").filter((each) => each !== "");
      assert.deepEqual(
        words(out).filter((each) => !rules.ignores(each)),
        [],
        "ought to stay out",
      );
      assert.deepEqual(
        words(stays).filter((each) => rules.ignores(each)),
        [],
        "ought to stay in",
      );
    });
  }
});

test("what is no pattern is refused with its line", () => {
  for (const bad of ["[", "a[", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "\\", "!"]) {
    assert.throws(
      () => readIgnoreRules(`docs\n${bad}`, "web/.dockerignore"),
      (error) =>
        isCtrlPlaneError(error) && error.code === "INVALID" && error.message.startsWith("web/.dockerignore:2:"),
      bad,
    );
  }
});

test("an ignored folder is entered only where a rule could take something back", () => {
  const entered = (lines: string, folder: string) => readIgnoreRules(lines, "f").mayKeepWithin(folder);
  assert.equal(entered("a\n!a/b/c", "a"), true);
  assert.equal(entered("a\n!a/b/c", "a/b"), true);
  assert.equal(entered("a\n!a/b/c", "a/b/c"), false);
  assert.equal(entered("a\n!a/b/c", "a/x"), false);
  assert.equal(entered("a\n!**/keep", "a"), true);
  assert.equal(entered("a\n!a/*/keep", "a/x"), true);
  assert.equal(entered("a\n!src/*.ts", "a"), false);
  assert.equal(entered("a", "a"), false);
});
