import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { unlikePage } from "../../scripts/conformance-page.ts";
import { dockerSocket } from "../engines/docker.ts";
import { dockerDeviations as deviations } from "./docker-deviations.ts";

const socket = await dockerSocket();
if (socket === undefined) test("docker conforms", { skip: "missing: Docker Engine" });
else {
  const harness = () => dockerHarness({ kind: "socket", path: socket }, "127.0.0.1");
  const { report } = conformance({ name: "docker", harness, runner: { describe, test }, deviations });

  test("docs/conformance.md says of docker what was seen", async (context) => {
    const hint = "older than the provider: node --conditions=source scripts/conformance-page.ts";
    const seen = await report();
    context.diagnostic(`engine used: ${seen.provider}, ${seen.provenBy}`);
    assert.deepEqual(unlikePage(seen), [], hint);
  });
}
