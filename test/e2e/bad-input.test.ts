import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { entry, Project, serverDeclaration } from "./fixture.ts";
import { listTree } from "./tree-listing.ts";

const long = "a".repeat(300);
const isRoot = process.getuid?.() === 0;

/** What `pctl.yaml` holds, and what plan and deploy say of it: where, what, what to do. */
interface BadFile {
  readonly content: string;
  readonly said: RegExp;
}

const badFiles: Readonly<Record<string, BadFile>> = {
  "an empty file": { content: "", said: /pctl\.yaml:1:1: the file is empty\n.*pctl init/ },
  "no YAML": { content: "\u0001{{{ not", said: /pctl\.yaml:1:\d+: / },
  "a mere word": { content: "hello\n", said: /pctl\.yaml:1:1: the file holds no map.*\n(.*\n)*.*name:.*services:/ },
  tabs: { content: "name: shop\nservices:\n\tweb:\n", said: /pctl\.yaml:3:1: a tab .*\n(.*\n)*.*spaces/ },
  "duplicate keys": {
    content: "name: shop\nservices:\n  web: { image: ./web }\n  web: { image: ./web }\n",
    said: /pctl\.yaml:4:3: the key "web" stands here a second time, after line 3/,
  },
  "an unknown provider": {
    content: serverDeclaration(8000).replace("local", "locla"),
    said: /^error: pctl\.yaml:2:11: there is no provider locla\n(.*\n)*?.*Did you mean local\?\n\n1 error\./,
  },
  "a name of 300 characters": {
    content: serverDeclaration(8000).replace("shop", long),
    said: /pctl\.yaml:1:7: the name of this stack has 300 characters, more than 63\n/,
  },
  "a service's name of 300 characters": {
    content: serverDeclaration(8000).replace("web:", `${long}:`),
    said: /pctl\.yaml:4:3: the name of this service has 300 characters/,
  },
  "a missing folder": {
    content: serverDeclaration(8000).replace("./web", "./nosuch"),
    said: /pctl\.yaml:5:12: \.\/nosuch does not exist/,
  },
  "a missing command": {
    content: serverDeclaration(8000).replace("[node,", "[no-such-node,"),
    said: /pctl\.yaml:6:5: the command no-such-node is not on this machine/,
  },
  "a command that is not executable": {
    content: serverDeclaration(8000).replace("[node, server.js]", "[./server.js]"),
    said: /pctl\.yaml:6:5: the command \.\/server\.js is not executable\n(.*\n)*.*chmod \+x/,
  },
};

/** Nothing but `.pctl` is there that was not there before, and nothing runs. */
async function expectUntouched(project: Project, code: number, words: readonly string[], said: RegExp): Promise<void> {
  const look = (): unknown => [listTree(project.folder, [".pctl"]), existsSync(project.dataFolder)];
  const before = look();
  assert.match(await project.expect(code, words), said);
  assert.deepEqual(look(), before, `pctl ${words.join(" ")} touched something`);
  assert.deepEqual(project.processes(), []);
}

describe("bad input: where, what, what to do, and nothing touched", { concurrency: 4 }, () => {
  for (const [title, { content, said }] of Object.entries(badFiles)) {
    test(title, async () => {
      await using project = await Project.withServer({ version: "v1" });
      await project.write({ "pctl.yaml": content });
      for (const words of [["plan"], ["deploy"]]) await expectUntouched(project, 6, words, said);
    });
  }

  test("an unknown service, with the nearest", async () => {
    await using project = await Project.withServer({ version: "v1" });
    for (const words of [
      ["deploy", "wbe"],
      ["logs", "wbe"],
      ["restart", "wbe"],
    ])
      await expectUntouched(project, 1, words, /^error: shop has no service wbe\n.*Did you mean web\?/);
  });

  test("a port in use, and by whom", async () => {
    await using project = await Project.withServer({ version: "v1" });
    const holder = createServer().listen(project.port, "127.0.0.1");
    await once(holder, "listening");
    try {
      const said = new RegExp(`pctl\\.yaml:7:\\d+: port ${project.port} is in use by pid ${process.pid} \\(`);
      for (const words of [["plan"], ["deploy"]]) await expectUntouched(project, 6, words, said);
    } finally {
      holder.close();
    }
    await project.ok("deploy");
  });

  test("links in a loop are copied as links", async () => {
    await using project = await Project.withServer({ version: "v1" });
    symlinkSync(".", join(project.folder, "web/here"));
    symlinkSync("../web", join(project.folder, "web/again"));
    symlinkSync("two", join(project.folder, "web/one"));
    symlinkSync("one", join(project.folder, "web/two"));
    await project.ok("deploy");
    assert.deepEqual(await project.versions(1), ["v1"]);
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
  });

  test("5 GB: the plan tells the size, and copies nothing", { timeout: 300_000 }, async () => {
    await using project = await Project.withServer({ version: "v1" });
    const large = join(project.folder, "web/large");
    writeFileSync(large, "");
    truncateSync(large, 5_000_000_000);
    await expectUntouched(project, 0, ["plan"], /\+ web +\.\/web \(5\.0 GB\)/);
  });

  test("a damaged state file is refused by name, and can be rebuilt", async () => {
    await using project = await Project.withServer({ version: "v1" });
    await project.ok("deploy");
    const running = project.replicas();
    const file = join(project.folder, "pctl.shop.json");
    for (const content of ["", "{", "null", "[]", "\u0000\u0000\u0000\u0000"]) {
      writeFileSync(file, content);
      const before = listTree(project.folder, [".pctl"]);
      for (const words of [["plan"], ["deploy"], ["destroy", "--yes"], ["scale", "web", "2"]]) {
        const said = await project.expect(1, words);
        assert.match(
          said,
          /^error: .*pctl\.shop\.json.*\n.*pctl state rebuild/,
          `${JSON.stringify(content)} ${words.join(" ")}`,
        );
        assert.deepEqual(listTree(project.folder, [".pctl"]), before);
      }
    }
    assert.deepEqual(project.replicas(), running);
    await project.ok("state", "rebuild");
    assert.match(await project.ok("plan", "--exit-code"), /Nothing to do/);
    assert.deepEqual(project.replicas(), running);
  });

  test("an unreadable file in the image, and an unreadable pctl.yaml", async (t) => {
    // Root reads everything, so root runs it as nobody.
    const user = isRoot ? { uid: 65534, gid: 65534 } : {};
    if (spawnSync(process.execPath, [entry, "--version"], { ...user }).status !== 0)
      return t.skip("the project's folder is closed to the user nobody");
    await using project = await Project.withServer({ version: "v1" });
    writeFileSync(join(project.folder, "web/closed"), "x");
    chmodSync(join(project.folder, "web/closed"), 0);
    if (isRoot) giveAway(project.root);
    for (const words of [["plan"], ["deploy"]]) {
      const { code, stdout, stderr } = await project.pctl(words, user);
      assert.equal(code, 6, stdout + stderr);
      assert.match(stdout + stderr, /pctl\.yaml:5:12: .*closed.*(cannot be read|permission)/i);
    }
    chmodSync(join(project.folder, "pctl.yaml"), 0);
    const { code, stderr } = await project.pctl(["plan"], user);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^error: pctl\.yaml: .*(cannot be read|permission)/i);
    assert.deepEqual(project.processes(), []);
  });

  test("a full disk", { skip: isRoot ? false : "missing: root, to mount a small disk" }, async () => {
    await using project = await Project.withServer({ version: "v1" });
    mkdirSync(project.dataFolder, { mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=300k,mode=0700", "none", project.dataFolder]);
    try {
      const said = await project.expect(3, ["deploy"]);
      assert.match(said, /no room for a copy of \.\/web: it needs .* to spare, and .* has .* free/);
      assert.deepEqual(readdirSync(join(project.dataFolder, "snapshots")), []);
      assert.deepEqual(project.replicas(), []);
      execFileSync("mount", ["-o", "remount,size=200m", project.dataFolder]);
      await project.ok("deploy");
      assert.deepEqual(await project.versions(1), ["v1"]);
      // Full while it serves: refused, and what serves is left alone.
      execFileSync("mount", ["-o", "remount,size=40m", project.dataFolder]);
      await project.change({ version: "v2" });
      assert.match(await project.expect(3, ["deploy"]), /no room/);
      assert.deepEqual(await project.versions(), ["v1"]);
    } finally {
      await project.pctl(["local", "stop", "--yes"]);
      execFileSync("umount", [project.dataFolder]);
    }
  });
});

function giveAway(path: string): void {
  chownSync(path, 65534, 65534);
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }))
    chownSync(join(path, name), 65534, 65534);
}
