import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer, text as textOf } from "node:stream/consumers";
import { describe, test, type TestContext } from "node:test";
import type { EngineClient } from "@ctrlplane/images";
import { run } from "../engines/commands.ts";
import type { DockerHost } from "../engines/hosts.ts";
import {
  clientOf,
  endpointOf,
  masters,
  refusal,
  requireHosts,
  restartSshd,
  skip,
  sshdLog,
  unframed,
  untilNone,
} from "./reach.support.ts";

const list = { method: "GET", path: "/containers/json" } as const;

describe("an engine over SSH", { skip }, () => {
  const [host, other] = skip === false ? requireHosts() : [];
  if (host === undefined || other === undefined) return;

  test("with sudo and without, and two hosts side by side", async (t) => {
    const engines = [
      clientOf(t, endpointOf(host, "deploy")),
      clientOf(t, endpointOf(host, "admin")),
      clientOf(t, endpointOf(other, "deploy")),
    ];
    const versions = await Promise.all(engines.map((each) => each.version()));
    assert.deepEqual(
      versions.map(({ api }) => api),
      ["1.45", "1.45", "1.45"],
    );
    const names = await Promise.all(
      engines.map((each) => each.json<{ Name: string }>({ method: "GET", path: "/info" })),
    );
    assert.deepEqual(
      names.map(({ Name }) => Name),
      [host.name, host.name, other.name],
    );
  });

  test("the key may be given as text; it is in no argument, and on the disk no longer than the login takes", async (t) => {
    const text = readFileSync(host.key, "utf8").trim();
    const engine = clientOf(t, endpointOf(host, "deploy", { key: text.replaceAll("\n", "\r\n") }));
    await engine.version();
    const [master] = masters(host, "deploy");
    assert.ok(master);
    // Ctrl-C in the terminal goes to our group of processes.
    assert.notEqual(groupOf(master.pid), groupOf(process.pid));
    assert.doesNotMatch(master.words.join(" "), /PRIVATE KEY/);
    const control = master.words[master.words.indexOf("-S") + 1] ?? "";
    assert.deepEqual(readdirSync(dirname(control)).toSorted(), ["c1", "c1.log", "known_hosts"]);
    await engine.close();
    await untilNone(host, "deploy");
    assert.throws(() => readdirSync(dirname(control)), /ENOENT/);
  });

  test("twenty services at once: one connection, nothing dropped, nothing refused", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const log = await sshdLog(host, async () => {
      const service = async (): Promise<void> => {
        for (let call = 0; call < 8; call += 1) await engine.json(list);
      };
      await Promise.all(Array.from({ length: 20 }, service));
      await engine.close();
    });
    assert.equal(matching(log, /^Connection from /), 1);
    assert.equal(matching(log, /Starting session/), 3);
    assert.equal(matching(log, /drop connection|no more sessions|MaxStartups|error:/), 0);
  });

  test("sixteen commands that start at one moment: sshd drops some of their connections, and none of them sees it", async (t) => {
    // Its log tells of dropped connections only every few minutes: begun anew it tells at once.
    await restartSshd(host);
    // Two strangers who say nothing: with them even a host that is quick has enough logins under way to drop some.
    for (let stranger = 0; stranger < 2; stranger += 1) {
      const socket = connect({ host: host.address, port: 22 });
      t.after(() => socket.destroy());
      await once(socket, "data");
    }
    const log = await sshdLog(host, async () => {
      const engines = Array.from({ length: 16 }, () => clientOf(t, endpointOf(host, "admin")));
      const versions = await Promise.all(engines.map((each) => each.version()));
      assert.ok(versions.every(({ api }) => api === "1.45"));
    });
    // Otherwise this showed nothing.
    assert.ok(matching(log, /drop connection|MaxStartups/) > 0);
  });

  test("calls that last take other sessions, and further connections beyond those that the host allows", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const followed = await Promise.all(
      Array.from({ length: 9 }, () => engine.stream({ method: "GET", path: "/events" })),
    );
    await Promise.all(Array.from({ length: 9 }, () => engine.json(list)));
    const heard = followed.map((each) => once(each, "data"));
    await engine.json({ method: "POST", path: "/volumes/create", body: { Name: "ctrlplane-reach-event" } });
    await Promise.all(heard);
    await engine.json({ method: "DELETE", path: "/volumes/ctrlplane-reach-event" });
    assert.ok(masters(host, "deploy").length <= 4, String(masters(host, "deploy").length));
    for (const each of followed) each.on("error", () => undefined).destroy();
    await engine.close();
    await untilNone(host, "deploy");
  });

  test("an answer of 12 MB comes whole, and so does a body", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const path = await container(t, host, engine, "large");
    const content = randomBytes(12 * 1024 * 1024);
    const archive = tarOf("large", content);
    await engine.json({
      method: "PUT",
      path: `${path}/archive`,
      query: { path: "/tmp" },
      body: Readable.from(slices(archive)),
    });
    const answer = await engine.stream({ method: "GET", path: `${path}/archive`, query: { path: "/tmp/large" } });
    const got = await buffer(answer);
    assert.equal(digest(got.subarray(512, 512 + content.length)), digest(content));
  });

  test("a process on the other side is given its input byte for byte, and its end", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const path = await container(t, host, engine, "input");
    const body = { AttachStdin: true, AttachStdout: true, Cmd: ["cat"] };
    const { Id } = await engine.json<{ Id: string }>({ method: "POST", path: `${path}/exec`, body });
    const socket = await engine.upgrade({
      method: "POST",
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: false },
    });
    const sent = randomBytes(3 * 1024 * 1024);
    socket.end(sent);
    assert.equal(digest(await unframed(socket)), digest(sent));
  });

  test("a connection that is cut fails the request that it carried, and the next one connects again", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const path = await container(t, host, engine, "cut");
    const events = await engine.stream({ method: "GET", path: "/events", query: { filters: { event: ["kill"] } } });
    const stopping = engine.json({ method: "POST", path: `${path}/stop`, query: { t: 60 } });
    // The engine has begun: `sleep` as the first process of a container hears no SIGTERM.
    await once(events, "data");
    const broken = once(events, "error");
    const [master] = masters(host, "deploy");
    assert.ok(master);
    process.kill(master.pid, "SIGKILL");
    await assert.rejects(stopping, refusal("UNAVAILABLE", /connection to ssh:\/\/deploy@.* broke/, true));
    await broken;
    assert.ok(Array.isArray(await engine.json(list)));
  });

  test("a host that is not known is refused, with the line to paste; that line lets it in", async (t) => {
    const { hostKey: _, ...endpoint } = endpointOf(host, "deploy");
    const unknown = clientOf(t, endpoint);
    let hint = "";
    await assert.rejects(unknown.version(), (error: Error & { hint?: string }) => {
      hint = error.hint ?? "";
      return refusal("UNAUTHORIZED", /not among the known hosts; it shows SHA256:/, false)(error);
    });
    const line = /hostKey: "(.*)"/.exec(hint)?.[1];
    assert.equal(line, host.hostKey);
    await clientOf(t, { ...endpoint, hostKey: line }).version();
  });

  test("a host with another key than `hostKey` is refused", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy", { hostKey: other.hostKey }));
    await assert.rejects(engine.version(), refusal("UNAUTHORIZED", /another key|not among `hostKey`/, false));
  });

  test("without `key` those of the ssh-agent are offered", async (t) => {
    const { key: _, ...endpoint } = endpointOf(host, "deploy");
    const agent = run("ssh-agent", ["-s"]);
    const [, socket] = /SSH_AUTH_SOCK=([^;]+);/.exec(agent) ?? [];
    const [, pid] = /SSH_AGENT_PID=(\d+);/.exec(agent) ?? [];
    const before = process.env["SSH_AUTH_SOCK"];
    t.after(() => {
      process.kill(Number(pid));
      if (before === undefined) delete process.env["SSH_AUTH_SOCK"];
      else process.env["SSH_AUTH_SOCK"] = before;
    });
    process.env["SSH_AUTH_SOCK"] = socket;
    run("ssh-add", ["-q", host.key]);
    await clientOf(t, endpoint).version();
  });

  test("who does not wait any more is let go while the connection is being made", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    await engine.version();
    const waiting = engine.stream({ method: "GET", path: "/events", signal: AbortSignal.timeout(1) });
    await assert.rejects(waiting, (error: Error) => error.name === "AbortError" || error.name === "TimeoutError");
    assert.ok(Array.isArray(await engine.json(list)));
  });

  test("a wrong key, a missing one, and one that is none", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "ctrlplane-reach-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const wrong = join(folder, "key");
    run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", wrong]);
    const refused = async (key: string, words: RegExp): Promise<void> => {
      const engine = clientOf(t, endpointOf(host, "deploy", { key }));
      await assert.rejects(engine.version(), refusal("UNAUTHORIZED", words, false));
    };
    await refused(wrong, /refuses the login .*authorized_keys/s);
    await refused(join(folder, "none"), /key .*none cannot be read/);
    await refused(
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
      /cannot read the private key/,
    );
  });

  test("no rights on the socket, and a sudo that asks for a password", async (t) => {
    const refused = async (engine: EngineClient, words: RegExp): Promise<void> => {
      await assert.rejects(engine.version(), refusal("FORBIDDEN", words, false));
    };
    await refused(
      clientOf(t, endpointOf(host, "nobody1", { sudo: false })),
      /may not use the engine's socket .*sudo: true/s,
    );
    await refused(clientOf(t, endpointOf(host, "asks")), /`sudo` wants a password .*NOPASSWD/s);
  });

  test("nothing listens, nobody is there, and no such name", async (t) => {
    const refused = async (changes: { host?: string; port?: number }, words: RegExp): Promise<void> => {
      const engine = clientOf(t, endpointOf(host, "deploy", changes));
      await assert.rejects(engine.version(), refusal("UNAVAILABLE", words, true));
    };
    await Promise.all([
      refused({ port: 1 }, /nothing listens/),
      refused({ host: host.address.replace(/\d+$/, "254") }, /does not answer/),
      refused({ host: "no-such-host.invalid" }, /no such host/),
    ]);
  });

  test("a container's port that is open, one that is closed, an address that is nobody's, and a signal", async (t) => {
    const engine = clientOf(t, endpointOf(host, "deploy"));
    const address = await listening(t, host, engine, "open");
    const { reach } = engine;
    assert.ok(reach);
    const never = new AbortController().signal;
    const log = await sshdLog(host, async () => {
      // Further ones than there are sessions.
      const sockets = await Promise.all(Array.from({ length: 8 }, () => reach({ host: address, port: 80 }, never)));
      const answers = sockets.map((socket) => {
        socket.end("GET / HTTP/1.0\r\n\r\n");
        return textOf(socket);
      });
      for (const each of await Promise.all(answers)) assert.match(each, /^HTTP\/1\.[01] /);
    });
    assert.equal(matching(log, /^Connection from |Starting session/), 0);
    const begun = performance.now();
    await assert.rejects(reach({ host: address, port: 81 }, never), { code: "ECONNREFUSED" });
    assert.ok(performance.now() - begun < 1000, "a slow server is polled");
    const nobody = address.replace(/\d+$/, "253");
    await assert.rejects(reach({ host: nobody, port: 80 }, AbortSignal.timeout(100)), { name: "TimeoutError" });
    await assert.rejects(reach({ host: nobody, port: 80 }, never), { code: "EHOSTUNREACH" });
    assert.equal(masters(host, "deploy").length, 1);
  });

  test("an sshd that forbids forwarding says so", async (t) => {
    const engine = clientOf(t, endpointOf(other, "admin", { port: 2222 }));
    const command = "/usr/sbin/sshd -p 2222 -o AllowTcpForwarding=no -o PidFile=/run/sshd-2222.pid";
    other.run("sh", ["-c", command]);
    t.after(() => other.run("sh", ["-c", "kill $(cat /run/sshd-2222.pid)"]));
    const asked = async () => engine.reach?.({ host: "127.0.0.1", port: 22 }, new AbortController().signal);
    await assert.rejects(asked, refusal("UNSUPPORTED", /forbids .*AllowTcpForwarding/s, false));
    assert.ok(Array.isArray(await engine.json(list)));
  });

  test("a process that forgets to close ends all the same", async () => {
    const endpoint = JSON.stringify(endpointOf(host, "deploy"));
    const code = `import { connectEngine } from "@ctrlplane/images";
      const engine = connectEngine(JSON.parse(process.argv[1]));
      console.log((await engine.version()).api);`;
    const args = ["--conditions=source", "--input-type=module", "-e", code, endpoint];
    const folder = mkdtempSync(join(tmpdir(), "reach-"));
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    assert.equal(
      execFileSync(process.execPath, args, { cwd: import.meta.dirname, env, encoding: "utf8" }).trim(),
      "1.45",
    );
    assert.deepEqual(readdirSync(folder), []);
    rmSync(folder, { recursive: true });
    // Its connection ends by itself half a minute after its last channel.
    for (const { pid } of masters(host, "deploy")) process.kill(pid);
  });
});

function groupOf(pid: number): string | undefined {
  return /\) \S \d+ (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
}

/** Path of a container, which sleeps unless told otherwise; removed when the test ends. */
async function container(
  t: TestContext,
  host: DockerHost,
  engine: EngineClient,
  word: string,
  command = ["sleep", "600"],
): Promise<string> {
  const name = `ctrlplane-reach-${word}`;
  const body = { Image: "busybox:latest", Cmd: command };
  t.after(() => host.run("docker", ["rm", "--force", name]));
  await engine.json({ method: "POST", path: "/containers/create", query: { name }, body });
  await engine.json({ method: "POST", path: `/containers/${name}/start` });
  return `/containers/${name}`;
}

/** Address of a container that answers at port 80. */
async function listening(t: TestContext, host: DockerHost, engine: EngineClient, word: string): Promise<string> {
  const path = await container(t, host, engine, word, ["httpd", "-f", "-v"]);
  const details = await engine.json<{ NetworkSettings: { IPAddress: string } }>({
    method: "GET",
    path: `${path}/json`,
  });
  return details.NetworkSettings.IPAddress;
}

function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const rest = (512 - (content.length % 512)) % 512;
  return Buffer.concat([header, content, Buffer.alloc(rest + 1024)]);
}

function* slices(all: Buffer): Generator<Buffer> {
  for (let at = 0; at < all.length; at += 65_536) yield all.subarray(at, at + 65_536);
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function matching(lines: readonly string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(line)).length;
}
