import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";
import { dockerHosts, type DockerHost } from "../engines/hosts.ts";
import { removeStack } from "../engines/remains.ts";
import type { Endpoint } from "@ctrlplane/images";

const range = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)).join("");

/** What shells, files of variables, JSON and terminals are known to change. */
const values: Readonly<Record<string, string>> = {
  EMPTY: "",
  CONTROL: range(1, 31) + range(127, 159),
  PRINTABLE: range(32, 126),
  LATIN: range(160, 767),
  ENDS: " \t\r\n both ends \n\r\t ",
  LINES: "A=1\nB=2\r\n# no comment\n\n",
  SHELL: `'$(id)' "\`id\`" \${HOME} $HOME $$ ; & | > < * ? ~ ! # \\ \\n %s %25`,
  // One letter as one code point and as two: nobody normalises them.
  LETTERS: "\u00e9 e\u0301 \ufeff \u2028 \u2029 \u200f \ufffd \ufffe 日本語 🚀 \u{10ffff}",
  JSON: JSON.stringify({ a: ['"', "\\", "\u0000"] }),
  LONG: "0123456789abcde\n".repeat(4096),
};

const socket = await dockerSocket();
const [host] = (await dockerHosts()) ?? [];

test(
  "every byte of the environment arrives by the socket",
  { skip: socket === undefined ? "missing: Docker Engine" : false },
  async () => {
    assert.ok(socket !== undefined);
    await arrives({ socket }, { kind: "socket", path: socket });
  },
);

test(
  "every byte of the environment arrives over SSH with sudo",
  { skip: host === undefined ? "missing: a Docker host" : false },
  async () => {
    assert.ok(host !== undefined);
    const { address, key, hostKey } = host;
    const options = { host: address, user: "deploy", key, hostKey, sudo: true };
    await arrives(options, { kind: "ssh", ...options }, host);
  },
);

/** In the service, in commands beside it and in those that run once; in the service also as its host sees it. */
async function arrives(options: object, endpoint: Endpoint, seenFrom?: DockerHost): Promise<void> {
  await using project = await Project.create();
  const stack = `env${randomBytes(4).toString("hex")}`;
  const names = Object.keys(values);
  const plain = names.map((name) => [`PLAIN_${name}`, `\${env:${name}}`]);
  await project.write({
    "pctl.yaml": `
name: ${stack}
provider: here
providers: { here: { type: docker, options: ${JSON.stringify(options)} } }
services:
  web:
    image: busybox
    command: [sleep, "100000"]
    secrets: ${JSON.stringify(names)}
    env: ${JSON.stringify(Object.fromEntries(plain))}
    stop: { grace: 0 }
`,
  });
  try {
    await project.expect(0, ["deploy", "--yes"], { env: values });
    const printed = ["base64", "/proc/self/environ"];
    isWhole("the service", await project.ok("exec", "web", "--", "base64", "/proc/1/environ"));
    isWhole("a command beside it", await project.ok("exec", "web", "--", ...printed));
    isWhole("a command that runs once", await project.ok("run", "web", "--", ...printed));
    if (seenFrom !== undefined)
      isWhole("its host", seenFrom.run("docker", ["exec", `${stack}-web`, "base64", "/proc/1/environ"]));
  } finally {
    await removeStack(endpoint, stack);
  }
}

/** `environ`: as the kernel shows it, in base64. */
function isWhole(where: string, environ: string): void {
  const bytes = Buffer.from(environ, "base64");
  const entries = bytes.toString("latin1").split("\0");
  for (const [name, value] of Object.entries(values)) {
    for (const key of [name, `PLAIN_${name}`]) {
      const wanted = Buffer.from(`${key}=${value}`).toString("latin1");
      assert.equal(entries.filter((each) => each.startsWith(`${key}=`)).length, 1, `${key} in ${where}`);
      assert.ok(entries.includes(wanted), `${key} in ${where} is not what was given`);
    }
  }
}
