import { describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import type { Endpoint } from "@ctrlplane/images";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { dockerHosts } from "../engines/hosts.ts";
import { dockerDeviations as deviations } from "./docker-deviations.ts";

/** What the way to the engine can make a difference to; with SOAK=1 everything is run. */
const plain = {
  only: [
    "identity",
    "deploy",
    "verdicts",
    "rolling",
    "logs",
    "exec",
    "run",
    "environment",
    "address",
    "cancellation",
    "errors",
  ],
};

const [host] = (await dockerHosts()) ?? [];
if (host === undefined) test("docker over SSH conforms", { skip: "missing: a Docker host" });
else {
  const { address, key, hostKey } = host;
  const endpoint: Endpoint = { kind: "ssh", host: address, user: "deploy", key, hostKey, sudo: true };
  const harness = () => dockerHarness(endpoint, address);
  const part = process.env["SOAK"] === "1" ? {} : plain;
  conformance({ name: "docker over SSH", harness, runner: { describe, test }, deviations, ...part });
}
