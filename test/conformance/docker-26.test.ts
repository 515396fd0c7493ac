import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { join } from "node:path";
import { behaviours, type Report } from "@ctrlplane/conformance";
import { dockerHosts, type DockerHost } from "../engines/hosts.ts";

/** What the version of the engine can make a difference to, and docker-ssh.test.ts leaves out; with SOAK=1 everything is run. */
const plain = [
  "lifecycle",
  "scale",
  "blue_green",
  "canary",
  "volumes",
  "ownership",
  "limits",
  "list",
  "jobs",
  "ledger",
];

const [, host] = (await dockerHosts()) ?? [];
const only = process.env["SOAK"] === "1" ? [] : plain;

if (host === undefined) test("docker 26.1 by its socket conforms", { skip: "missing: a Docker host" });
else {
  let begun: Promise<Report> | undefined;
  const report = (): Promise<Report> => (begun ??= runInside(host));
  describe("docker 26.1 by its socket conforms", () => {
    for (const { id, group } of behaviours) {
      if (only.length > 0 && !only.includes(group)) continue;
      test(id, async () => {
        const seen = (await report()).behaviours.find((each) => each.id === id);
        assert.ok(seen !== undefined);
        assert.match(seen.outcome, /^(holds|deviates|refused|undeclared)$/, seen.problem);
      });
    }
  });

  test("it was that engine, and its own socket", async () => {
    assert.match((await report()).provenBy, /^Docker Engine 26\.1\.\S+, unix$/);
  });
}

/** The suite in the host's network, with the socket of its engine: what containers publish on the host's loopback is reached there. */
async function runInside({ pid }: DockerHost): Promise<Report> {
  const program = join(import.meta.dirname, "docker-inside-main.ts");
  const words = [process.execPath, "--conditions=source", program, `/proc/${pid}/root/run/docker.sock`, ...only];
  const child = spawn("nsenter", [`--net=/proc/${pid}/ns/net`, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const said = await text(child.stdout);
  assert.deepEqual(await ended, [0, null]);
  // It prints nothing else.
  return JSON.parse(said) as Report;
}
