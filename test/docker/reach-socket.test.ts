import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { IncomingMessage } from "node:http";
import type { EngineClient } from "@ctrlplane/images";
import { eventually } from "../e2e/fixture.ts";
import { removeHost, startHost } from "../engines/hosts.ts";
import { clientOf, endpointOf, masters, refusal, skip, sshdLog, untilNone } from "./reach.support.ts";

const list = { method: "GET", path: "/containers/json" } as const;
const events = { method: "GET", path: "/events" } as const;
const isSession = (line: string): boolean => line.includes("Starting session");

describe("an engine over SSH whose socket the user may use", { skip, timeout: 180_000 }, async () => {
  if (skip !== false) return;
  const name = `ctrlplane-hosts-socket-${process.pid}`;
  const host = await startHost({ name });
  after(() => removeHost(name));

  /** Resolves once the engine's socket is forwarded. */
  const forwarded = async (engine: EngineClient): Promise<void> => {
    await engine.version();
    await eventually("its socket is forwarded", async () => {
      const log = await sshdLog(host, async () => {
        const heard = await engine.stream(events);
        await letGo(heard);
      });
      return !log.some(isSession);
    });
  };

  test("calls that last and short ones, many more than sshd allows sessions: by one connection, with no process on the host", async (t) => {
    const engine = clientOf(t, endpointOf(host, "admin"));
    await forwarded(engine);
    const log = await sshdLog(host, async () => {
      const followed = await Promise.all(Array.from({ length: 40 }, () => engine.stream(events)));
      const service = async (): Promise<void> => {
        for (let call = 0; call < 8; call += 1) await engine.json(list);
      };
      await Promise.all(Array.from({ length: 20 }, service));
      const heard = followed.map((each) => once(each, "data"));
      await engine.json({ method: "POST", path: "/volumes/create", body: { Name: "ctrlplane-reach-event" } });
      await Promise.all(heard);
      await engine.json({ method: "DELETE", path: "/volumes/ctrlplane-reach-event" });
      await Promise.all(followed.map(letGo));
    });
    assert.deepEqual(
      log.filter((line) => isSession(line) || /Connection from|error:/.test(line)),
      [],
    );
    assert.equal(masters(host, "admin").length, 1);
    await engine.close();
    await untilNone(host, "admin");
  });

  test("where the socket is gone, docker on the host says why; where it is back, calls go by it again", async (t) => {
    const engine = clientOf(t, endpointOf(host, "admin"));
    await forwarded(engine);
    host.run("mv", ["/run/docker.sock", "/run/elsewhere.sock"]);
    try {
      await assert.rejects(engine.stream(events), refusal("UNAVAILABLE", /does not run on the host/, true));
    } finally {
      host.run("mv", ["/run/elsewhere.sock", "/run/docker.sock"]);
    }
    await forwarded(engine);
  });

  test("a connection that is cut is told as such, and the next call connects again", async (t) => {
    const engine = clientOf(t, endpointOf(host, "admin"));
    await forwarded(engine);
    host.run("docker", ["run", "--detach", "--name=ctrlplane-reach-cut", "busybox:latest", "sleep", "600"]);
    const followed = await engine.stream({ ...events, query: { filters: { event: ["kill"] } } });
    const waiting = engine.json({
      method: "POST",
      path: "/containers/ctrlplane-reach-cut/stop",
      query: { t: 60 },
    });
    // The engine has begun: `sleep` as the first process of a container hears no SIGTERM.
    await once(followed, "data");
    const [master] = masters(host, "admin");
    assert.ok(master);
    const broken = once(followed, "error");
    process.kill(master.pid, "SIGKILL");
    await assert.rejects(waiting, refusal("UNAVAILABLE", /connection to ssh:\/\/admin@.* broke/, true));
    await broken;
    assert.ok(Array.isArray(await engine.json(list)));
  });

  for (const [what, option] of [
    ["all forwarding", "DisableForwarding=yes"],
    ["that of sockets", "AllowStreamLocalForwarding=no"],
    ["further sessions", "MaxSessions=1"],
  ] as const) {
    test(`where sshd forbids ${what}, processes on the host serve`, async (t) => {
      const command = `/usr/sbin/sshd -p 2222 -o ${option} -o PidFile=/run/sshd-2222.pid`;
      host.run("sh", ["-c", command]);
      t.after(() => host.run("sh", ["-c", "kill $(cat /run/sshd-2222.pid)"]));
      const engine = clientOf(t, endpointOf(host, "admin", { port: 2222 }));
      for (let call = 0; call < 20; call += 1) await engine.json(list);
      const followed = await Promise.all(Array.from({ length: 5 }, () => engine.stream(events)));
      await Promise.all(Array.from({ length: 9 }, () => engine.json(list)));
      await Promise.all(followed.map(letGo));
    });
  }

  test("what `docker` on the host would not use is not used", async (t) => {
    // As a rootless engine's user has it; here it leads nowhere, and `docker` says so.
    host.run("docker", ["context", "create", "own", "--docker", "host=unix:///run/none.sock"]);
    const folder = "/home/admin/.docker";
    host.run("sh", [
      "-c",
      `mkdir -p ${folder} && cp -r /root/.docker/contexts ${folder} && echo '{"currentContext":"own"}' > ${folder}/config.json && chown -R admin ${folder}`,
    ]);
    t.after(() => host.run("rm", ["-r", folder]));
    const engine = clientOf(t, endpointOf(host, "admin"));
    await assert.rejects(engine.version(), refusal("UNAVAILABLE", /does not run on the host/, true));
    host.run("sh", ["-c", "ln -s /run/docker.sock /run/none.sock"]);
    await forwarded(engine);
  });

  test("a process that forgets to close ends all the same, and leaves nothing", () => {
    const endpoint = JSON.stringify(endpointOf(host, "admin"));
    const code = `import { connectEngine } from "@ctrlplane/images";
      const engine = connectEngine(JSON.parse(process.argv[1]));
      for (let call = 0; call < 50; call += 1) await engine.json({ method: "GET", path: "/containers/json" });`;
    const folder = mkdtempSync(join(tmpdir(), "reach-"));
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    const args = ["--conditions=source", "--input-type=module", "-e", code, endpoint];
    execFileSync(process.execPath, args, { cwd: import.meta.dirname, env, timeout: 30_000 });
    assert.deepEqual(readdirSync(folder), []);
    rmSync(folder, { recursive: true });
    // Its connection ends by itself half a minute after its last channel.
    for (const { pid } of masters(host, "admin")) process.kill(pid);
  });
});

async function letGo(answer: IncomingMessage): Promise<void> {
  answer.on("error", () => undefined).destroy();
  if (!answer.closed) await once(answer, "close");
}
