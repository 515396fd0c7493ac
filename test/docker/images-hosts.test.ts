// Without a registry an image travels from host to host, over the connections that are there.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { carryImage, type CarryProgress } from "@ctrlplane/images";
import type { Event } from "@ctrlplane/core";
import { dockerSocket } from "../engines/docker.ts";
import { eventually } from "../e2e/fixture.ts";
import { outcomeOf } from "../e2e/workbench.ts";
import { engineAt, engineOf, ImageStack, optionsOf } from "./images-stack.support.ts";
import { masters, refusal, requireHosts, skip } from "./reach.support.ts";

const socket = await dockerSocket();
const options = { skip, timeout: 300_000 };
/** A layer that no engine has, also none from an earlier run, and that does not change with the content. */
const large = [`RUN : ${process.pid} ${Date.now()}; head -c 8000000 /dev/urandom >/large`];

test("built on one host and carried to the other, then only what it lacks", options, async () => {
  const [one, two] = requireHosts();
  const engines = [engineOf(one), engineOf(two)] as const;
  await using stack = await ImageStack.create(...engines);
  await stack.project.write({
    "pctl.yaml": `
name: ${stack.name}
providers: { vps1: ${optionsOf(one)}, vps2: ${optionsOf(two)} }
services:
  web: { image: ./web, provider: [vps1, vps2] }
  worker: { image: ./web, provider: vps2 }
`,
  });
  await stack.content("one", large);
  const first = await stack.events(0, ["deploy", "--yes"]);
  const [{ from, size } = { from: "", size: 0 }, ...more] = carriedIn(first);
  assert.equal(from, `ssh://deploy@${one.address}`, "the first host builds");
  assert.ok(size >= 8 && size < 9, `${size} MB`);
  assert.deepEqual(more, [], "once for both services there");
  const [onOne, onTwo] = await Promise.all(engines.map((each) => stack.containers(each)));
  assert.match(onOne?.["web"] ?? "", /^pctl-local:[0-9a-f]{64}$/);
  assert.deepEqual(onTwo, { web: onOne?.["web"], worker: onOne?.["web"] });

  await stack.content("two", large);
  const second = await stack.events(0, ["deploy", "--yes"]);
  const [next] = carriedIn(second);
  assert.ok(next?.from === from && next.size < 1, `${next?.size} MB from ${next?.from}: the large layer is there`);
  for (const each of engines) assert.equal((await stack.images(each)).length, 2, "those of two releases");

  await stack.project.ok("destroy", "--yes");
  for (const each of engines) assert.deepEqual([await stack.images(each), await stack.roles(each)], [[], ["ledger"]]);
});

test(
  "a connection that is cut while an image travels: a clear error, nothing of it stays, the next time it comes",
  options,
  async (t) => {
    const [host] = requireHosts();
    const [here, later, there] = [engineAt(socket), engineOf(host), engineOf(host)];
    await using stack = await ImageStack.create(here, later, there);
    const folder = await mkdtemp(join(tmpdir(), "ctrlplane-images-"));
    t.after(() => rm(folder, { recursive: true }));
    // Where its control socket lies.
    process.env["XDG_RUNTIME_DIR"] = folder;
    await there.version();
    await stack.content("one", large);
    const tag = await stack.build(here);
    let isCut = false;
    /** In the middle: what is read first waits for the connection. */
    const cut = ({ bytes }: CarryProgress): void => {
      if (isCut || bytes < 4_000_000) return;
      // Of all connections to that host those of the engine above: a second one where its sshd allows no more channels.
      const own = masters(host, "deploy").filter(({ words }) => words.some((each) => each.startsWith(folder)));
      for (const { pid } of own) process.kill(pid, "SIGKILL");
      isCut = own.length > 0;
    };
    await assert.rejects(
      carryImage(here, there, tag, { onProgress: cut }),
      refusal("UNAVAILABLE", /broke|ended/, true),
    );
    assert.ok(isCut);
    assert.deepEqual(await stack.images(later), []);
    await eventually("what had arrived is gone", () => host.run("ls", ["/var/lib/docker/tmp"]).trim() === "");
    await carryImage(here, later, tag);
    assert.deepEqual(await stack.images(later), [tag]);
  },
);

test("a deploy whose image is cut on its way ends with what is wrong, and the next one goes on", options, async (t) => {
  const [one, two] = requireHosts();
  const engines = [engineOf(one), engineOf(two)] as const;
  await using stack = await ImageStack.create(...engines);
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-images-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await stack.project.write({
    "pctl.yaml": `
name: ${stack.name}
providers: { vps1: ${optionsOf(one)}, vps2: ${optionsOf(two)} }
services:
  web: { image: ./web, provider: vps1 }
  api: { image: ./web, provider: vps2 }
`,
  });
  await stack.content("one", [large[0]?.replace("8000000", "300000000") ?? ""]);
  const child = stack.project.start(["deploy", "--yes", "--json"], { env: { XDG_RUNTIME_DIR: folder } });
  const ended = outcomeOf(child);
  let isCut = false;
  child.stdout?.on("data", (said: Buffer) => {
    // What is cut before it is on its way is begun anew.
    if (isCut || !/comes from ssh\S+: (?!0\.0 )[\d.]+ of/.test(said.toString())) return;
    isCut = true;
    const own = masters(two, "deploy").filter(({ words }) => words.some((each) => each.startsWith(folder)));
    for (const { pid } of own) process.kill(pid, "SIGKILL");
  });
  const { code, stdout } = await ended;
  assert.ok(isCut, stdout);
  assert.notEqual(code, 0);
  assert.match(stdout, /the connection to ssh:\/\/deploy@[\d.]+ broke/);
  assert.deepEqual(await stack.images(engines[1]), []);
  assert.ok("web" in (await stack.containers(engines[0])), "the other host goes on");

  await stack.project.ok("deploy", "--yes");
  assert.deepEqual(Object.keys(await stack.containers(engines[1])), ["api"]);
  await stack.project.ok("destroy", "--yes");
  for (const each of engines) assert.deepEqual(await stack.images(each), []);
});

/** What came from another host: from which, and how much of it, in MB. */
function carriedIn(events: readonly Event[]): { readonly from: string; readonly size: number }[] {
  return events.flatMap(({ message }) => {
    const [, from, size] = /^came from (\S+): (\S+) MB/.exec(message) ?? [];
    return from === undefined ? [] : [{ from, size: Number(size) }];
  });
}
