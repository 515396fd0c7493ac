import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { provider as site } from "../../examples/provider/provider.ts";
import { outcomeOf, Workbench, type Outcome } from "./workbench.ts";
import { freePort } from "../free-port.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = join(root, "examples");

function expectCode(outcome: Outcome, code: number): void {
  assert.equal(outcome.code, code, `exit ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`);
}

/** What the docs and the README tell users to run, as it stands in examples/. */
describe("examples", () => {
  let bench: Workbench;
  let port: number;

  before(async () => {
    bench = await Workbench.create();
    // Where a user's own project has them, installed.
    await symlink(join(root, "node_modules"), join(bench.folder, "..", "node_modules"));
    port = await freePort();
  });
  after(() => bench.dispose());

  /** A copy of an example in a folder of the project; its host port is one that is free here. */
  async function copy(name: string): Promise<(...words: string[]) => Promise<Outcome>> {
    const folder = join(bench.folder, name);
    await cp(join(examples, name), folder, { recursive: true });
    const declaration = await readFile(join(folder, "pctl.yaml"), "utf8");
    await bench.write({ [`${name}/pctl.yaml`]: declaration.replaceAll("8080:", `${port}:`) });
    return (...words) => bench.pctl(["-c", `${name}/pctl.yaml`, ...words], { env: { DEMO_PORT: String(port) } });
  }

  const answer = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) });
    return response.text();
  };

  test("hello", async () => {
    const pctl = await copy("hello");
    expectCode(await pctl("deploy"), 0);
    assert.match(await answer(), /^hello from \d+\n$/);
    expectCode(await pctl("destroy", "--yes"), 0);
  });

  test("extend: a resolver and a plugin of one's own", async () => {
    const pctl = await copy("extend");
    expectCode(await pctl("deploy"), 0);
    assert.equal(await answer(), "hello from extend\n");
    expectCode(await pctl("destroy", "--yes"), 0);
  });

  test("demo: three services, wired", async () => {
    const pctl = await copy("demo");
    expectCode(await pctl("deploy"), 0);
    assert.equal(await answer(), "version 1, visit 1\n");
    assert.equal(await answer(), "version 1, visit 2\n");
    expectCode(await pctl("destroy", "--yes", "--remove", "store", "--volumes"), 0);
  });

  test("provider: a site published by a provider of one's own", async () => {
    const pctl = await copy("provider");
    const page = join(bench.folder, "provider/www/docs-site/public/index.html");
    expectCode(await pctl("deploy"), 0);
    assert.equal(await readFile(page, "utf8"), await readFile(join(examples, "provider/site/index.html"), "utf8"));
    expectCode(await pctl("plan", "--exit-code"), 0);

    await bench.write({ "provider/site/index.html": "second\n" });
    expectCode(await pctl("deploy"), 0);
    assert.equal(await readFile(page, "utf8"), "second\n");

    await rm(join(bench.folder, "provider/site/index.html"));
    const broken = await pctl("deploy");
    expectCode(broken, 3);
    assert.match(broken.stdout, /release 2 serves; release 3 got no traffic/);
    assert.equal(await readFile(page, "utf8"), "second\n");

    expectCode(await pctl("rollback", "site", "--to", "1", "--yes"), 0);
    const back = await pctl("status");
    assert.match(back.stdout, /site +www +serving +1 +1 of 1/);
    expectCode(await pctl("stop"), 0);
    await assert.rejects(readFile(page), { code: "ENOENT" });
    expectCode(await pctl("start"), 0);
    assert.match(await readFile(page, "utf8"), /Hello/);
    assert.equal((await pctl("run", "site", "--", "ls")).stdout, "index.html\n");

    await bench.write({ "provider/pctl.yaml": await refusedDeclaration() });
    const refused = await pctl("check");
    expectCode(refused, 6);
    assert.match(refused.stderr, /pctl\.yaml:11:5: `site` publishes files/);
    await cp(join(examples, "provider/pctl.yaml"), join(bench.folder, "provider/pctl.yaml"));
    expectCode(await pctl("destroy", "--yes"), 0);
    assert.equal(site.checkOptions({}).length, 1);
  });

  async function refusedDeclaration(): Promise<string> {
    return `${await readFile(join(examples, "provider/pctl.yaml"), "utf8")}    ports: [8080]\n`;
  }

  test("library: the programs of docs/library.md", async () => {
    const docs = await readFile(join(root, "docs/library.md"), "utf8");
    for (const name of ["deploy.ts", "instances.ts"]) {
      const source = await readFile(join(examples, "library", name), "utf8");
      assert.ok(docs.includes(`\`\`\`ts\n${source}\`\`\``), `docs/library.md shows examples/library/${name} as it is`);
    }
    const pctl = await copy("hello");
    const deployed = await program("deploy.ts", "hello/pctl.yaml");
    expectCode(deployed, 0);
    assert.match(deployed.stdout, /^change\.started deploy\nplan\.ready 1 to create\n/);
    assert.ok(deployed.stdout.endsWith(`\nsucceeded http://127.0.0.1:${port}\n`), deployed.stdout);
    assert.match(await answer(), /^hello from/);
    expectCode(await pctl("destroy", "--yes"), 0);

    const single = await program("instances.ts", "hello");
    expectCode(single, 0);
    const lines = ["created succeeded", "is serving with 1 replica", "destroyed succeeded"];
    assert.equal(single.stdout, `${[...lines, "NOT_FOUND no instance has the id inst_unknown"].join("\n")}\n`);
  });

  /** Runs as a user's program does: from the built packages. */
  function program(name: string, ...words: string[]): Promise<Outcome> {
    const file = join(examples, "library", name);
    const child = spawn(process.execPath, [file, ...words], { cwd: bench.folder, env: bench.environment });
    return outcomeOf(child);
  }
});
