import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder } from "./fixture.test.support.ts";
import { gitCommit } from "./git-commit.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const cases: readonly (readonly [string, Readonly<Record<string, string>>, string, string | undefined])[] = [
  ["a branch", { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${commit}\n` }, "", commit],
  [
    "a packed branch, from a folder below",
    {
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/packed-refs": `# pack-refs\n${"f".repeat(40)} refs/heads/maine\n${commit} refs/heads/main\n`,
      "a/b/x": "",
    },
    "a/b",
    commit,
  ],
  ["a commit", { ".git/HEAD": `${commit}\n` }, "", commit],
  [
    "a linked worktree",
    {
      "main/.git/refs/heads/w": commit,
      "main/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
      "main/.git/worktrees/w/commondir": "../..\n",
      "w/.git": "gitdir: ../main/.git/worktrees/w\n",
    },
    "w",
    commit,
  ],
  ["no commit yet", { ".git/HEAD": "ref: refs/heads/main\n" }, "", undefined],
  ["an empty .git", { ".git/x": "" }, "", undefined],
];
for (const [what, files, folder, expected] of cases) {
  test(what, () => inFolder(files, (root) => Promise.resolve(assert.equal(gitCommit(join(root, folder)), expected))));
}
