import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { eventually } from "../e2e/fixture.ts";
import { run } from "../engines/commands.ts";
import { dockerHosts, pauseHost, removeHost, startHost, type DockerHost } from "../engines/hosts.ts";
import { bytesReceived, Hosts } from "./hosts.support.ts";
import { masters } from "./reach.support.ts";

const hosts = await dockerHosts();

describe(
  "one stack on two hosts",
  { skip: hosts === undefined ? "missing: a Docker host" : false, timeout: 300_000 },
  () => {
    if (hosts === undefined) return;
    const [one, two] = hosts;

    test("deployed over SSH with sudo, changed, taken back, destroyed", async () => {
      await using stack = await Hosts.create(hosts);
      const { project } = stack;
      const at = { vps1: { host: one }, vps2: { host: two } };
      const serves = (version: string): void => {
        assert.deepEqual(stack.running(one), [`both ${version}`, `vps1 ${version}`]);
        assert.deepEqual(stack.running(two), [`both ${version}`, `vps2 ${version}`]);
      };
      await stack.write("one", at, ["vps1", "vps2"]);
      await project.ok("deploy", "--yes");
      serves("one");
      await project.ok("plan", "--exit-code");
      await stack.write("two", at, ["vps1", "vps2"]);
      const said = await project.ok("deploy", "--yes");
      assert.match(said, /on vps1: Docker .*\n.*on vps2: Docker /);
      serves("two");
      await project.ok("rollback", "--yes");
      serves("one");
      await project.ok("destroy", "--yes");
      assert.deepEqual([stack.names(one), stack.names(two)], [[], []]);
    });
  },
);

describe("hosts that fail", { skip: hosts === undefined ? "missing: a Docker host" : false, timeout: 300_000 }, () => {
  if (hosts === undefined) return;
  const [near, other] = hosts;

  test("each that cannot be reached says why, the others go on, and the next deploy completes", async (t) => {
    const [down, frozen] = await Promise.all([ownHost(t, "down"), ownHost(t, "frozen")]);
    await using stack = await Hosts.create([near, other]);
    const { project } = stack;
    const at = { near: { host: near }, down: { host: down }, frozen: { host: frozen }, other: { host: other } };
    await stack.write("one", { ...at, locked: { host: other } });
    await project.ok("deploy", "--yes");

    await pauseHost(down.name, true);
    frozen.run("sh", ["-c", "kill -STOP $(cat /var/run/docker.pid)"]);
    await project.write({ strange: strangeKey() });
    await chmod(`${project.folder}/strange`, 0o600);
    const strange = { host: other, key: `${project.folder}/strange` };
    await stack.write("two", { ...at, other: strange, locked: { host: other, user: "nobody1", sudo: false } });
    const said = await project.expect(4, ["deploy", "--yes"]);
    const told = [
      /down: down cannot be reached \(UNAVAILABLE\): ssh:.*the host does not answer/,
      /frozen: frozen cannot be reached \(UNAVAILABLE\): .*the engine did not answer within \d+ s/,
      /other: other cannot be reached \(UNAUTHORIZED\): .*the host refuses the login/,
      /locked: locked cannot be reached \(FORBIDDEN\): .*may not use the engine's socket/,
      /help: Is it up, and does a firewall/,
      /help: Is it frozen, or the host overloaded/,
      /help: Is the public half of `key`/,
      /help: Set `sudo: true`/,
      /✓ near +release 2 serves/,
    ];
    for (const each of told) assert.match(said, each);
    assert.deepEqual(stack.running(near), ["near two"]);
    assert.deepEqual(stack.running(other), ["locked one", "other one"]);

    await pauseHost(down.name, false);
    frozen.run("sh", ["-c", "kill -CONT $(cat /var/run/docker.pid)"]);
    assert.deepEqual([stack.names(down), stack.names(frozen)], [["down"], ["frozen"]]);
    await stack.write("two", { ...at, locked: { host: other } });
    assert.match(await project.ok("deploy", "--yes"), /= near/);
    assert.deepEqual(
      [down, frozen, other].flatMap((each) => stack.running(each)),
      ["down two", "frozen two", "locked two", "other two"],
    );
    await project.ok("plan", "--exit-code");
  });

  test("a connection that is cut in the middle of a transfer, and a full disk: nothing half-done stays", async (t) => {
    const far = await ownHost(t, "disk", ["--tmpfs", "/var/lib/docker:rw,exec,size=300m"]);
    await using stack = await Hosts.create([near]);
    const { project } = stack;
    const at = { near: { host: near }, far: { host: far, user: "admin" as const } };
    await stack.write("one", at);
    await project.ok("deploy", "--yes");

    await stack.write("two", at);
    await writeFile(join(project.folder, "app", "large"), randomBytes(24 * 1024 * 1024));
    const before = bytesReceived(far);
    const cut = project.pctl(["deploy", "--yes"]);
    await eventually("a part of the image is there", () => bytesReceived(far) - before > 4 * 1024 * 1024, 60_000);
    const transfer = masters(far, "admin");
    assert.ok(transfer.length > 0);
    for (const { pid } of transfer) process.kill(pid, "SIGKILL");
    const { code, stdout, stderr } = await cut;
    assert.match(stdout + stderr, /✓ near +release 2 serves/);
    assert.match(stdout + stderr, /✗ far +UNAVAILABLE/);
    assert.match(stdout + stderr, /far the connection to ssh:\S+ broke: [^]*Run the same command again/);
    assert.equal(code, 3);
    assert.deepEqual(stack.running(near), ["near two"]);
    assert.deepEqual([stack.names(far), stack.running(far)], [["far"], ["far one"]]);
    await project.ok("deploy", "--yes");
    assert.deepEqual(stack.running(far), ["far two"]);

    // Some room is left: for the ledger, not for the image.
    const fill = `dd if=/dev/zero of=/var/lib/docker/filled bs=1M count=$(($(df -m --output=avail /var/lib/docker | tail -1) - 12))`;
    far.run("sh", ["-c", fill]);
    await stack.write("three", at);
    await writeFile(join(project.folder, "app", "large"), randomBytes(24 * 1024 * 1024));
    const full = await project.expect(3, ["deploy", "--yes"]);
    assert.match(full, /✗ far +QUOTA/);
    assert.match(full, /far .*the host's disk is full/);
    assert.match(full, /docker system df/);
    assert.deepEqual(stack.running(near), ["near three"]);
    assert.deepEqual([stack.names(far), stack.running(far)], [["far"], ["far two"]]);
    far.run("rm", ["/var/lib/docker/filled"]);
    await project.ok("deploy", "--yes");
    assert.deepEqual(stack.running(far), ["far three"]);
    await project.ok("plan", "--exit-code");
  });
});

async function ownHost(t: TestContext, word: string, options: readonly string[] = []): Promise<DockerHost> {
  const name = `ctrlplane-hosts-${word}-${process.pid}`;
  const host = await startHost({ name, options });
  t.after(() => removeHost(name));
  return host;
}

/** A private key that opens nothing. */
function strangeKey(): string {
  const folder = mkdtempSync(join(tmpdir(), "ctrlplane-strange-"));
  try {
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    return readFileSync(join(folder, "key"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
