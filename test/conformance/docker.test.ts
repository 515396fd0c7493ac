import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import { behaviours } from "../../packages/conformance/src/behaviours/index.ts";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { columnOf, linesOf } from "../../scripts/conformance-page.ts";
import { dockerSocket } from "../engines/docker.ts";
import { dockerDeviations as deviations } from "./docker-deviations.ts";

/** Two commands at once without a lease: on an engine 20.10 it depends on the moment, so it is run with SOAK=1 alone. */
const outside = "idempotence.two-deploys-at-once-make-no-double";
const chosen = behaviours.map(({ id }) => id).filter((id) => process.env["SOAK"] === "1" || id !== outside);

const socket = await dockerSocket();
if (socket === undefined) test("docker conforms", { skip: "missing: Docker Engine" });
else {
  const harness = () => dockerHarness({ kind: "socket", path: socket }, "127.0.0.1");
  const { report } = conformance({ name: "docker", harness, runner: { describe, test }, deviations, only: chosen });

  test("docs/conformance.md says of docker what was seen", async (context) => {
    const hint = "older than the provider: node --conditions=source scripts/conformance-page.ts";
    const seen = await report();
    context.diagnostic(`engine used: ${seen.provider}, ${seen.provenBy}`);
    const told = columnOf("docker").filter((line) => chosen.some((id) => line.startsWith(`${id} `)));
    assert.deepEqual(told, linesOf(seen), hint);
  });
}
