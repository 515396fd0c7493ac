import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { dockerSocket } from "../engines/docker.ts";

/** What the provider does so far: nothing that needs a gateway. */
const only = [
  "identity",
  "capabilities",
  "ownership",
  "logs",
  "exec",
  "run",
  "list",
  "ledger",
  "jobs",
  "errors",
  "limits",
];

const socket = await dockerSocket();
if (socket === undefined) test("docker conforms", { skip: "missing: Docker Engine" });
else {
  const harness = () => dockerHarness({ kind: "socket", path: socket }, "127.0.0.1");
  conformance({ name: "docker", harness, runner: { describe, test }, only });
}
