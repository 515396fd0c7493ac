import { describe, test } from "node:test";
import { conformance, type Deviations } from "@ctrlplane/conformance";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { dockerSocket } from "../engines/docker.ts";

const reason =
  "a service with `recreate` and one replica publishes its ports itself, and a container keeps what it publishes";

/** What is so on Docker, and why. */
const deviations: Deviations = {
  "deploy.a-change-of-ports-replaces-nothing": { reason, instead: "the one replica is replaced" },
  "scale.more-replicas-run-when-returned": {
    reason,
    instead: "the first replica is replaced by one behind a gateway, which takes the ports over",
  },
};

const socket = await dockerSocket();
if (socket === undefined) test("docker conforms", { skip: "missing: Docker Engine" });
else {
  const harness = () => dockerHarness({ kind: "socket", path: socket }, "127.0.0.1");
  conformance({ name: "docker", harness, runner: { describe, test }, deviations });
}
