import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { run } from "../engines/commands.ts";
import { dockerSocket } from "../engines/docker.ts";
import { requireHosts, skip, sshdLog } from "./reach.support.ts";

const options = { skip, timeout: 300_000 };
/** As a user whose home it is has them: `ssh` looks that up in the list of users, whatever HOME says. */
const asUserOf = ["unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/passwd && exec "$@"`];

describe("what this machine's own configuration says", options, () => {
  const socket = skip === false ? dockerSocket() : undefined;
  if (socket === undefined) return;
  const [one, two] = requireHosts();

  test("the way to a host is that of the user's ssh: name, user, key and a jump host", async () => {
    await using project = await Project.create();
    const under = await sshHome(project);
    const name = `jump${randomBytes(4).toString("hex")}`;
    await project.write({
      "pctl.yaml": `
name: ${name}
provider: far
providers: { far: { type: docker, options: { host: inner, sudo: true } } }
services: { job: { kind: job, image: busybox, command: [echo, "it came through"] } }
`,
    });
    const log = await sshdLog(two, async () => {
      assert.match(await project.expect(0, ["deploy", "--yes"], { under }), /on far: Docker 26\.1, ssh:\/\/inner\n/);
      assert.match(await project.expect(0, ["logs", "job", "--change", "1"], { under }), /it came through/);
      await project.expect(0, ["destroy", "--yes"], { under });
    });
    for (const volume of two.run("docker", ["volume", "ls", "-q", "--filter", `label=pctl-stack=${name}`]).split("\n"))
      if (volume !== "") two.run("docker", ["volume", "rm", volume]);
    const from = log.flatMap((line) => /^Connection from (\S+) /.exec(line)?.[1] ?? []);
    // Other tests come to it straight.
    assert.ok(from.includes(one.address), from.join(" "));
  });

  test("contexts are those of the docker command: by name, by variable, and the current one", async () => {
    await using project = await Project.create();
    const under = await sshHome(project);
    const docker = (...words: readonly string[]): string =>
      run("docker", ["--config", join(project.home, ".docker"), "context", ...words]);
    docker("create", "here", "--docker", `host=unix://${(await socket) ?? ""}`);
    docker("create", "far", "--docker", "host=ssh://admin@inner");
    const plan = async (given: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
      await project.write({
        "pctl.yaml": `
name: contexts
provider: there
providers: { there: { type: docker, options: ${given} } }
services: { web: { image: busybox, strategy: recreate } }
`,
      });
      const said = await project.expect(0, ["plan"], { under, env });
      return /on there: (Docker \S+, \S+)$/m.exec(said)?.[1] ?? said;
    };
    const here = new RegExp(`^Docker .*, unix://${(await socket) ?? ""}$`);
    assert.match(await plan("{ context: here }"), here);
    assert.equal(await plan("{ context: far }"), "Docker 26.1, ssh://admin@inner");
    assert.equal(await plan("{}", { DOCKER_CONTEXT: "far" }), "Docker 26.1, ssh://admin@inner");
    docker("use", "far");
    assert.equal(await plan("{}"), "Docker 26.1, ssh://admin@inner");
    assert.match(await plan("{}", { DOCKER_CONTEXT: "here" }), here);
    await assert.rejects(plan("{ context: nowhere }"), /no context `nowhere`[\s\S]*docker context ls/);
  });

  /** A home whose `ssh` knows both hosts, the second by way of the first; the words that make it the user's. */
  async function sshHome({ home, root }: Project): Promise<readonly string[]> {
    const folder = join(home, ".ssh");
    await mkdir(folder, { mode: 0o700 });
    await writeFile(
      join(folder, "config"),
      `Host *\n  IdentityFile ${one.key}\n  User deploy\nHost outer\n  HostName ${one.address}\nHost inner\n  HostName ${two.address}\n  ProxyJump outer\n`,
    );
    await chmod(join(folder, "config"), 0o600);
    const known = [one, two].map(({ address, hostKey }) => `${address} ${hostKey}\n`);
    await writeFile(join(folder, "known_hosts"), known.join(""));
    const users = readFileSync("/etc/passwd", "utf8").replace(/^(root:.*:)\/root:/m, `$1${home}:`);
    assert.ok(users.includes(home));
    await writeFile(join(root, "passwd"), users);
    return [...asUserOf, join(root, "passwd")];
  }
});
